"""Whether what was found answers the prompt, or each of its questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from worker.engines.research.calibration import ANSWER_PROBABILITY, probability
from worker.engines.research.coverage import coverage
from worker.engines.research.model import Candidate, Claim, Facet, Plan, Statement
from worker.engines.research.signals import Signals, signals_of, strengths_of


@dataclass(frozen=True, slots=True)
class Answering:
    """`likely` is the probability that the prompt is answered: that of its first finding, or, for a prompt of several
    questions, the mean over them, a question without an answer counting a fifth. `questions` are the probabilities by
    facet; `signals` are those of the first finding or of the question that is answered best."""

    answered: bool
    likely: float
    signals: Signals
    questions: Mapping[str, float] = field(default_factory=dict)


def answering_of(
    plan: Plan,
    key: Sequence[Claim],
    claims: Sequence[Claim],
    statements: Sequence[Statement],
    candidates: Sequence[Candidate],
    weights: Mapping[str, float],
) -> Answering:
    """Judge the key findings, or the best claim to each question, by their signals."""
    questions = [facet for facet in plan.facets if facet.kind in ("question", "topic")]
    if not questions or not claims:
        found = [(item.document_id, item.coverage) for item in candidates]
        signals = signals_of(key[0] if key else None, found, strengths_of(statements))
        likely = probability(signals) if key else 0.0
        return Answering(likely >= ANSWER_PROBABILITY, likely, signals)
    judged = {facet.id: _to_question(facet, claims, statements, candidates, weights) for facet in questions}
    told = {facet: probability(signals) if signals.strength else 0.0 for facet, signals in judged.items()}
    best = max(told, key=lambda facet: told[facet])
    likely = sum(value if value >= ANSWER_PROBABILITY else value / 5 for value in told.values()) / len(told)
    return Answering(told[best] >= ANSWER_PROBABILITY, round(likely, 4), judged[best], told)


def _to_question(
    facet: Facet,
    claims: Sequence[Claim],
    statements: Sequence[Statement],
    candidates: Sequence[Candidate],
    weights: Mapping[str, float],
) -> Signals:
    """The signals of the best claim to one question: shares are of this question's terms alone. What stands around a
    statement is then told by its document."""
    shares = {item.document_id: coverage(item.stems, weights, facet.stems) for item in candidates}

    def turned(item: Statement) -> Statement:
        own = coverage(item.stems, weights, facet.stems)
        return replace(item, coverage=own, context=max(own, shares.get(item.document_id, 0.0)))

    own = [claim for claim in claims if facet.id in claim.statement.facets]
    if not own:
        return Signals()
    head = max(own, key=lambda claim: (turned(claim.statement).coverage, claim.statement.score))
    claim = replace(head, statement=turned(head.statement))
    found = [(item.document_id, shares[item.document_id]) for item in candidates]
    return signals_of(claim, found, strengths_of(map(turned, statements)))
