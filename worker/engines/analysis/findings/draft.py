"""A finding before it is ranked, and how sure one can be of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIGNIFICANT = 0.05
_HALF_SURE_ROWS = 10
DOUBT = 0.85
"""What a finding keeps of its confidence with each doubt."""
_MOST_UNANSWERED = 0.1

CONFIDENCE_FORMULA = (
    "A finding's confidence is (1 − p) · n/(n + 10) · s · 0.85^d: p is the p-value adjusted for the tests made "
    "with it (for a description 0, for an absent effect 0.5), n the rows used, s the share of the rows of the "
    "file that are used, d the number of doubts (failed assumption checks, warnings, and columns with values that "
    "look like a code for missing or are spelled in several ways). The result's confidence_score is "
    "the mean over its first five findings, times 0.85 if the analysis is partial, and 0 "
    "without findings; where the data cannot answer the question it is a fifth of that, at most 0.1. Where words "
    "of the question that limit the rows fit nothing, findings keep 0.7 of it. That they cannot is itself held "
    "with 0.9, and with 0.7 where it hangs on a word that fits no column's name. Counts and sums of all rows have"
    " 1."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """One finding. `effect` is its size on a scale from 0 to 1 (a correlation, the root of a share of variance)."""

    text: str
    numbers: Mapping[str, Any]
    effect: float
    confidence: float
    columns: tuple[str, ...]
    kind: str
    established: bool
    """False where it says that no effect was found; such findings count only as answers to the prompt."""
    whole: bool = False
    """It answers as a whole what other findings answer in parts, and stands before them where the prompt asks it."""


def confidence(p: float | None, n: int, share_used: float, doubts: int) -> float:
    """By :data:`CONFIDENCE_FORMULA`; `p` None stands for a description."""
    sure = 1.0 if p is None else 0.5 if p >= SIGNIFICANT else 1 - p
    return round(sure * n / (n + _HALF_SURE_ROWS) * share_used * DOUBT**doubts, 4)


def doubts_of(result: Mapping[str, Any]) -> int:
    """A result's warnings, but for rows left out: the share of rows used says that already."""
    return sum("left out" not in warning for warning in result["warnings"])


def overall(confidences: list[float], *, partial: bool, answered: bool = True) -> float:
    """The result's confidence score, from its findings' confidences in order of rank."""
    first = confidences[:5]
    score = sum(first) / len(first) * (DOUBT if partial else 1.0) if first else 0.0
    return round(score if answered else min(_MOST_UNANSWERED, score / 5), 4)
