"""Turns of phrase about all columns, whole rows, and rise or fall."""

from __future__ import annotations

import re

GREW = re.compile(
    r"\b(?:did|does|do|has|have|had|is|are|was|were) .*@\d+ (?:really |clearly |still |also )?(?:been )?"
    r"(?:grow|grown|rise|risen|fall|fallen|drop|dropped|decline|declined|increase|increased|decrease|decreased|shrink|"
    r"shrunk|change|changed|go up|gone up|go down|gone down)\b|"
    r"@\d+ (?:grew|rose|fell|dropped|declined|shrank|went up|went down)\b"
)
TREND = re.compile(r"\b(?:trends?|trending)\b")
ROWS = re.compile(
    r"\b(?:which|what|any|unusual|odd|strange|suspicious|abnormal|extreme) (?:\w+ )?"
    r"(?:rows?|records?|cases?|entries|observations|lines|data points)\b"
)
SENTENCE = re.compile(r"[.?!;]")
ANY_COLUMN = re.compile(
    r"(?:attributes|clear|clearly|connections|fields|linear|links|numeric|numerical|pairs?|pairwise|quantit(?:y|ies)|"
    r"strengths?|strongest|weak|weakest|features|associations)"
)
