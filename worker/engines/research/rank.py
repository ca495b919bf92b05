"""Which statements of the documents read serve as evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from worker.engines.research.coverage import FULL_COVERAGE_TERMS, coverage
from worker.engines.research.evidence import likelihood, term_weights, unheeded
from worker.engines.research.intent import AnswerForm, answer_form
from worker.engines.research.model import Candidate, Plan, Statement
from worker.engines.research.parts import speaks
from worker.engines.research.scan import Scan, Unit
from worker.engines.text.bm25 import BM25
from worker.engines.text.identifiers import content_id
from worker.engines.text.matching import soft_coverage
from worker.engines.text.statements import refers_back

MIN_RELEVANCE = 0.12
"""A document gives evidence only when a statement of it is this relevant."""
_LEAST_COVERAGE = 0.05
_OPEN_REFERENCE = 0.6
FACET_MET = 0.5
"""A statement speaks to a facet when it holds this weighted share of the facet's terms."""


def rank(
    scans: Sequence[Scan],
    candidates: Sequence[Candidate],
    prompt: str,
    plan: Plan,
    weights: Mapping[str, float],
    per_document: int,
) -> list[Statement]:
    """The best statements of each document that says enough about the prompt, best first.

    Evidence (0..1) is how likely a statement is to be part of its document's answer (:mod:`evidence`).

    Relevance (0..1) = 0.3 · BM25, as a share of what the prompt's eight weightiest terms could score, + 0.2 · coverage
    of the prompt's terms with paragraph and title + 0.4 · coverage within the sentence + 0.1 · share of the prompt's
    neighbouring terms found close together.

    Score = evidence · reading · (document's coverage of the prompt)² · (0.7 + 0.3 · document relevance), and more for a
    sentence of the form that the prompt asks for: half as much again for a definition, 1.3 times for a quantity or a
    time, 1.2 times for a cause. Reading is 0.6 for a sentence that opens with a pronoun for what stands before it. The
    square keeps the best sentence of a document beside the point below those of one that is to it.
    """
    sentences = sum(item.sentences for item in scans)
    frequency: Counter[str] = Counter()
    for item in scans:
        frequency.update(item.frequency)
    form = answer_form(prompt)
    scorer = _Scorer(
        plan,
        weights,
        term_weights(plan.terms, frequency, sentences),
        BM25(mean_length=sum(item.length for item in scans) / max(1, sentences)),
        ideal=sum(sorted(weights.values(), reverse=True)[:FULL_COVERAGE_TERMS]) or 1.0,
        form=form,
        without=unheeded(prompt, form.name if form is not None else ""),
    )
    standing = {item.document_id: _standing(item) for item in candidates}
    found: list[Statement] = []
    for item in scans:
        scored = scorer.statements(item, standing[item.document_id])
        scored.sort(key=lambda statement: (-statement.score, statement.start))
        found.extend(scored[:per_document])
    found.sort(key=lambda statement: (-statement.score, statement.document_id, statement.start))
    return found


@dataclass(frozen=True, slots=True)
class _Scorer:
    plan: Plan
    weights: Mapping[str, float]
    rarity: Mapping[str, float]
    bm25: BM25
    ideal: float
    form: AnswerForm | None
    without: Collection[str]

    def statements(self, scan: Scan, standing: float) -> list[Statement]:
        """The statements of a document, none when it says too little about the prompt."""
        relevance = [self._relevance(unit) for unit in scan.units]
        if max(relevance, default=0.0) < MIN_RELEVANCE:
            return []
        held = [soft_coverage(unit.held, self.rarity) for unit in scan.units]
        best = max(held)
        return [
            self._statement(
                scan.document_id, unit, relevance[i], likelihood(held[i], best, unit.signs, self.without), standing
            )
            for i, unit in enumerate(scan.units)
        ]

    def _relevance(self, unit: Unit) -> float:
        bm25 = min(1.0, self.bm25.score(self.weights, unit.frequencies, unit.length) / self.ideal)
        own = coverage(unit.frequencies, self.weights)
        context = coverage(unit.context, self.weights)
        pairs = unit.pairs / max(1, min(len(self.weights), FULL_COVERAGE_TERMS) - 1)
        return round(0.3 * bm25 + 0.2 * context + 0.4 * own + 0.1 * min(1.0, pairs), 6)

    def _statement(self, document_id: str, unit: Unit, relevance: float, evidence: float, standing: float) -> Statement:
        in_form = self.form is not None and self.form.met(unit.text)
        gain = self.form.gain if self.form is not None and in_form else 1.0
        gain *= _OPEN_REFERENCE if refers_back(unit.text) else 1.0
        return Statement(
            id=content_id("statement", document_id, unit.start, unit.end, unit.quote),
            document_id=document_id,
            start=unit.start,
            end=unit.end,
            page=unit.page,
            quote=unit.quote,
            text=unit.text,
            score=round(evidence * standing * gain, 6),
            relevance=relevance,
            coverage=coverage(unit.frequencies, self.weights),
            context=coverage(unit.context, self.weights),
            stems=tuple(unit.frequencies),
            facets=self._facets(unit.frequencies, unit.text),
            in_form=in_form,
            evidence=evidence,
        )

    def _facets(self, held: Collection[str], sentence: str) -> tuple[str, ...]:
        facets = [facet for facet in self.plan.facets if speaks(facet.kind, sentence)]
        met = [(coverage(held, self.weights, facet.stems), facet.id) for facet in facets]
        return tuple(facet for share, facet in sorted(met, key=lambda item: -item[0]) if share >= FACET_MET)


def _standing(candidate: Candidate) -> float:
    """How much a document's statements count beside those of others."""
    return max(_LEAST_COVERAGE, candidate.coverage) ** 2 * (0.7 + 0.3 * candidate.relevance)
