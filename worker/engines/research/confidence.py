"""How sure a research result is: two documented numbers between 0 and 1.

Both are made of what can be counted, and the result's `methods` block shows every part.

Of the whole answer::

    confidence = 0.95 · V · (0.6·S + 0.2·C + 0.2·I) · (1 − 0.25·K) · E · F

* S, strength: the best verified statement's coverage of the prompt, its own and with its surroundings averaged, brought
  from 0.25..0.85 to 0..1;
* C, coverage: the weighted share of the prompt's terms that the verified statements hold together;
* I, independence: 1 − ½ⁿ for n documents that hold a statement strong enough to answer;
* V, verification: the share of quotes found again at their offsets;
* K, conflict: the share of claims that another source contradicts;
* E, early: 0.9 when the session was written up early, else 1;
* F, form: 0.6 when the prompt asks for a definition, a quantity or a time and no verified statement gives one, else 1.

It stays below 1 because words in common are evidence of an answer, not proof of one.

When the sources do not answer, the number is a tenth of S + C, and never above 0.1.

Of an overview, which has no terms to meet::

    confidence = 0.95 · V · (0.4·S + 0.4·C + 0.2·I) · (1 − 0.25·K) · E

* S: the mean, over the documents quoted, of how well each one's best statement represents it, scaled as above (see
  `survey.rank_overview`);
* C: the share of the documents that the sources hold, known copies apart, that are quoted.

It says how far the overview stands for the documents, not whether they are right.

Of one key finding: 0.7·S + 0.3·(1 − ½ⁿ), n the documents that say nearly the same; halved when contradicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.engines.research.coverage import coverage
from worker.engines.research.model import Claim
from worker.engines.research.synthesise import ANSWER_STRENGTH

FORMULA = (
    "0.95 * V * (0.6*S + 0.2*C + 0.2*I) * (1 - 0.25*K), times 0.9 when written up early, times 0.6 when a definition, "
    "a quantity or a time was asked for and none found; 0.1 * (S + C) / 2 when the sources do not answer"
)
OVERVIEW_FORMULA = (
    "0.95 * V * (0.4*S + 0.4*C + 0.2*I) * (1 - 0.25*K), times 0.9 when written up early; S: how well the best "
    "statement of each document quoted represents it, on average; C: share of the documents that are quoted"
)
_LOW, _HIGH = 0.25, 0.85


@dataclass(frozen=True, slots=True)
class Confidence:
    """The number and its parts, each 0..1, rounded to four places."""

    score: float
    strength: float
    coverage: float
    independence: float
    verification: float
    conflict: float

    @property
    def word(self) -> str:
        return "high" if self.score >= 0.7 else "moderate" if self.score >= 0.4 else "low"


def of_answer(
    claims: Sequence[Claim],
    weights: Mapping[str, float],
    *,
    answered: bool,
    checked: int,
    failed: int,
    partial: bool,
    form_required: bool,
) -> Confidence:
    """Confidence of a result from its verified claims; `form_required` says that the prompt asks for a
    definition, a quantity or a time."""
    strength = _scaled(max((claim.statement.strength for claim in claims), default=0.0))
    held = {stem for claim in claims for stem in claim.statement.stems}
    covered = coverage(held, weights)
    strong = {item.document_id for claim in claims for item in claim.statements if item.strength >= ANSWER_STRENGTH}
    independence = 1 - 0.5 ** len(strong)
    verification = (checked - failed) / checked if checked else 0.0
    conflict = sum(bool(claim.conflicts) for claim in claims) / len(claims) if claims else 0.0
    if answered:
        score = verification * (0.6 * strength + 0.2 * covered + 0.2 * independence) * (1 - 0.25 * conflict)
        score *= 0.95 * (0.9 if partial else 1.0)
        if form_required and not any(claim.statement.in_form for claim in claims):
            score *= 0.6
    else:
        score = 0.05 * (strength + covered)
    return Confidence(*(round(value, 4) for value in (score, strength, covered, independence, verification, conflict)))


def of_overview(claims: Sequence[Claim], *, held: int, checked: int, failed: int, partial: bool) -> Confidence:
    """Confidence of an overview from its verified claims; `held` counts the documents that the sources hold."""
    best: dict[str, float] = {}
    for claim in claims:
        for item in claim.statements:
            best[item.document_id] = max(best.get(item.document_id, 0.0), item.strength)
    strength = sum(_scaled(value) for value in best.values()) / len(best) if best else 0.0
    covered = min(1.0, len(best) / held) if held else 0.0
    independence = 1 - 0.5 ** len(best)
    verification = (checked - failed) / checked if checked else 0.0
    conflict = sum(bool(claim.conflicts) for claim in claims) / len(claims) if claims else 0.0
    score = verification * (0.4 * strength + 0.4 * covered + 0.2 * independence) * (1 - 0.25 * conflict)
    score *= 0.95 * (0.9 if partial else 1.0)
    return Confidence(*(round(value, 4) for value in (score, strength, covered, independence, verification, conflict)))


def of_finding(claim: Claim) -> float:
    """Confidence of one key finding."""
    value = 0.7 * _scaled(claim.statement.strength) + 0.3 * (1 - 0.5 ** len(claim.documents))
    return round(value / 2 if claim.conflicts else value, 4)


def _scaled(strength: float) -> float:
    return min(1.0, max(0.0, (strength - _LOW) / (_HIGH - _LOW)))
