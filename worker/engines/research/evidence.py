"""How likely a sentence is to be evidence for what was asked: a logistic model over signs that a reader can check.

The signs are how much of the prompt the sentence holds (abbreviations and other forms of its words included), alone and
as a share of the best sentence of its document; where it stands; and what its wording says it does. The words of the
prompt weigh by how few sentences of the documents read hold them, so nothing has to be shipped or downloaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence

from worker.engines.research.model import Term
from worker.engines.text.cues import Part, gives_background, has_number, has_statistic, states_result, tells_method

WEIGHTS: Mapping[str, float] = {
    "holds": 1.51,
    "holds, of the best": 3.21,
    "place": 1.62,
    "tells a method": -1.80,
    "states a result": 0.63,
    "gives background": -0.80,
    "has a statistic": 0.51,
    "has a number": 0.30,
    "log words": 0.30,
    "under methods": -0.83,
    "under background": -0.74,
    "under conclusion": 0.22,
}
BIAS = -5.88
"""Learnt by `python -m eval.learn_evidence` from claims and the sentences of abstracts that experts marked as their
rationale: maximum likelihood with an L2 penalty of 10 on the standardised weights. Over ten folds by abstract (564
claims) the two likeliest sentences have an F1 of 0.59, where BM25 has 0.47; one of the likeliest three is right in
93 %."""
_ASKS_METHOD = re.compile(
    r"^\s*(?:how (?:was|were|did|do|does|is|are)|who|when|where|in which)\b"
    r"|\b(?:methods?|methodolog\w+|procedures?|protocols?|techniques?|study design|sample size|participants|recruit\w*"
    r"|data ?sets?|instruments?)\b",
    re.IGNORECASE,
)
_FULL_PLACE = 20
"""Up to so many sentences a place in the document counts in full: an abstract ends with what was found, a book does
not."""


def signs_of(line: str, part: Part, place: float, *, report: bool) -> tuple[float, ...]:
    """The signs that do not depend on the prompt, in the order of `FIXED`; `place` is as of :func:`place_of`. Only a
    `report` of research tells methods and background apart from what it found."""
    return (
        place,
        float(report and tells_method(line)),
        float(states_result(line)),
        float(report and gives_background(line)),
        float(has_statistic(line)),
        float(has_number(line)),
        round(math.log(max(1, len(line.split()))), 6),
        float(part == "methods"),
        float(part == "background"),
        float(part == "conclusion"),
    )


FIXED = (
    "place",
    "tells a method",
    "states a result",
    "gives background",
    "has a statistic",
    "has a number",
    "log words",
    "under methods",
    "under background",
    "under conclusion",
)


def place_of(index: int, count: int, *, report: bool) -> float:
    """Where the sentence `index` of `count` stands, 0 (first) to 1 (last); drawn to ½ in a long document, and ½ in one
    that is no `report` of research, for only those keep what they found for the end."""
    if not report or count < 2:
        return 0.5
    return round(0.5 + (index / (count - 1) - 0.5) * min(1.0, _FULL_PLACE / count), 6)


def term_weights(terms: Sequence[Term], frequency: Mapping[str, int], sentences: int) -> dict[str, float]:
    """Weight of each of the prompt's stems: √weight in the prompt × (1 + ln(1 + (N + 1) / (1 + n))), for N sentences of
    which n hold it."""
    return {
        term.stem: math.sqrt(term.weight) * (1 + math.log1p((sentences + 1) / (1 + frequency.get(term.stem, 0))))
        for term in terms
    }


def unheeded(prompt: str, form: str) -> frozenset[str]:
    """The signs that do not count for a prompt: what was done is no answer to what was found, but it is one to how it
    was done; `form` is the name of the form of answer asked for."""
    names: set[str] = set()
    if _ASKS_METHOD.search(prompt):
        names.update(("tells a method", "under methods"))
    if form == "definition":
        names.update(("gives background", "under background", "place"))
    return frozenset(names)


def likelihood(held: float, best: float, fixed: Sequence[float], without: Collection[str] = ()) -> float:
    """Probability (0..1) that a sentence of a document which holds an answer is part of it: for the share of the prompt
    that it holds, the best such share in its document, and its fixed signs but for those that do not count."""
    z = BIAS + WEIGHTS["holds"] * held + WEIGHTS["holds, of the best"] * (held / best if best else 0.0)
    z += sum(WEIGHTS[name] * value for name, value in zip(FIXED, fixed, strict=True) if name not in without)
    return round(1 / (1 + math.exp(-z)), 6)
