"""How sure a research result is: documented numbers between 0 and 1, whose parts the result's `methods` block shows.

Of an answer::

    confidence = p · V · (1 − 0.25·K) · E · F

* p: the probability, learnt and calibrated, that the first finding answers the prompt
  (:mod:`worker.engines.research.calibration`); for a prompt of several questions the mean over them, one without an
  answer counting a fifth of its own;
* V, verification: the share of quotes found again at their offsets;
* K, conflict: the share of claims that another source contradicts;
* E, early: 0.9 when the session was written up early, else 1;
* F, form: 0.6 when the prompt asks for a definition, a quantity or a time and no verified statement gives one, else 1.

V, K, E and F are 1, 0, 1 and 1 in an ordinary session, so there the number is p itself. When the sources do not answer
it is a fifth of p, and never above 0.1.

Of an overview, which has no terms to meet::

    confidence = 0.95 · V · (0.4·S + 0.4·C + 0.2·I) · (1 − 0.25·K) · E

* S: the mean, over the documents quoted, of how well each one's best statement represents it, brought from 0.25..0.85
  to 0..1 (see `survey.rank_overview`);
* C: the share of the documents that the sources hold, known copies apart, that are quoted;
* I: 1 − ½ⁿ for n documents quoted.

It says how far the overview stands for the documents, not whether they are right, and is not calibrated.

Of one key finding: p of that finding, from its own signals, or that of the question it speaks to; halved when
contradicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.engines.research.calibration import probability
from worker.engines.research.model import Claim
from worker.engines.research.signals import Signals

FORMULA = (
    "p * V * (1 - 0.25*K), times 0.9 when written up early, times 0.6 when a definition, a quantity or a time was "
    "asked for and none found; p: the probability that the first finding answers the prompt, a logistic function of "
    "its signals; a fifth of p, at most 0.1, when the sources do not answer"
)
OVERVIEW_FORMULA = (
    "0.95 * V * (0.4*S + 0.4*C + 0.2*I) * (1 - 0.25*K), times 0.9 when written up early; S: how well the best "
    "statement of each document quoted represents it, on average; C: share of the documents that are quoted"
)
_LOW, _HIGH = 0.25, 0.85
_NOT_ANSWERED = 0.1


@dataclass(frozen=True, slots=True)
class Confidence:
    """The number and what it was made of, each 0..1, rounded to four places."""

    score: float
    parts: Mapping[str, float]

    @property
    def word(self) -> str:
        return "high" if self.score >= 0.7 else "moderate" if self.score >= 0.4 else "low"


def of_answer(
    claims: Sequence[Claim],
    likely: float,
    signals: Signals,
    *,
    answered: bool,
    checked: int,
    failed: int,
    partial: bool,
    form_required: bool,
) -> Confidence:
    """Confidence of a result from its verified claims, the probability that they answer and the signals it was told
    from; `form_required` says that the prompt asks for a definition, a quantity or a time."""
    likely = likely if claims else 0.0
    verification, conflict = _verification(checked, failed), _conflict(claims)
    if answered:
        score = likely * verification * (1 - 0.25 * conflict) * (0.9 if partial else 1.0)
        if form_required and not any(claim.statement.in_form for claim in claims):
            score *= 0.6
    else:
        score = min(_NOT_ANSWERED, likely / 5)
    parts = {**signals.as_json(), "probability": likely, "verification": verification, "conflict": conflict}
    return Confidence(round(score, 4), _rounded(parts))


def of_overview(claims: Sequence[Claim], *, held: int, checked: int, failed: int, partial: bool) -> Confidence:
    """Confidence of an overview from its verified claims; `held` counts the documents that the sources hold."""
    best: dict[str, float] = {}
    for claim in claims:
        for item in claim.statements:
            best[item.document_id] = max(best.get(item.document_id, 0.0), item.strength)
    strength = sum(_scaled(value) for value in best.values()) / len(best) if best else 0.0
    covered = min(1.0, len(best) / held) if held else 0.0
    independence = 1 - 0.5 ** len(best)
    verification, conflict = _verification(checked, failed), _conflict(claims)
    score = verification * (0.4 * strength + 0.4 * covered + 0.2 * independence) * (1 - 0.25 * conflict)
    score *= 0.95 * (0.9 if partial else 1.0)
    parts = {"strength": strength, "coverage": covered, "independence": independence}
    return Confidence(round(score, 4), _rounded({**parts, "verification": verification, "conflict": conflict}))


def of_finding(claim: Claim, signals: Signals, questions: Mapping[str, float]) -> float:
    """Confidence of one key finding from its signals; where the prompt asks several `questions`, that of the one it
    speaks to which is answered best."""
    spoken = [questions[facet] for facet in claim.statement.facets if facet in questions]
    value = max(spoken) if spoken else probability(signals)
    return round(value / 2 if claim.conflicts else value, 4)


def of_told(claim: Claim) -> float:
    """Confidence that a statement of an overview represents its documents."""
    value = 0.7 * _scaled(claim.statement.strength) + 0.3 * (1 - 0.5 ** len(claim.documents))
    return round(value / 2 if claim.conflicts else value, 4)


def _verification(checked: int, failed: int) -> float:
    return (checked - failed) / checked if checked else 0.0


def _conflict(claims: Sequence[Claim]) -> float:
    return sum(bool(claim.conflicts) for claim in claims) / len(claims) if claims else 0.0


def _rounded(parts: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in parts.items()}


def _scaled(strength: float) -> float:
    return min(1.0, max(0.0, (strength - _LOW) / (_HIGH - _LOW)))
