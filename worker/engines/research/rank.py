"""Which statements of the documents read serve as evidence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from worker.engines.research.coverage import FULL_COVERAGE_TERMS, coverage
from worker.engines.research.intent import AnswerForm, answer_form
from worker.engines.research.model import Candidate, Plan, Statement
from worker.engines.research.scan import Scan, Unit
from worker.engines.text.bm25 import BM25
from worker.engines.text.identifiers import content_id
from worker.engines.text.statements import quality

MIN_RELEVANCE = 0.2
"""A statement less relevant than this is not taken as evidence."""
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
    """The best statements of each document, best first.

    Relevance (0..1) = 0.3 · BM25, as a share of what the prompt's eight weightiest terms could score, + 0.2 · coverage
    of the prompt's terms with paragraph and title + 0.4 · coverage within the sentence + 0.1 · share of the prompt's
    neighbouring terms found close together.

    Score = relevance · √quality · (1 + 0.3 · place in the document, for conclusions come late) · (0.7 + 0.3 · document
    relevance), and more for a sentence of the form that the prompt asks for: half as much again for a definition, 1.3
    times for a quantity or a time, 1.2 times for a cause.
    """
    sentences = sum(item.sentences for item in scans)
    scorer = _Scorer(
        plan,
        weights,
        BM25(mean_length=sum(item.length for item in scans) / max(1, sentences)),
        ideal=sum(sorted(weights.values(), reverse=True)[:FULL_COVERAGE_TERMS]) or 1.0,
        form=answer_form(prompt),
    )
    relevance_of = {item.document_id: item.relevance for item in candidates}
    found: list[Statement] = []
    for item in scans:
        scored = [scorer.statement(item.document_id, unit, relevance_of[item.document_id]) for unit in item.units]
        scored = [statement for statement in scored if statement.relevance >= MIN_RELEVANCE]
        scored.sort(key=lambda statement: (-statement.score, statement.start))
        found.extend(_apart(scored)[:per_document])
    found.sort(key=lambda statement: (-statement.score, statement.document_id, statement.start))
    return found


@dataclass(frozen=True, slots=True)
class _Scorer:
    plan: Plan
    weights: Mapping[str, float]
    bm25: BM25
    ideal: float
    form: AnswerForm | None

    def statement(self, document_id: str, unit: Unit, document_relevance: float) -> Statement:
        bm25 = min(1.0, self.bm25.score(self.weights, unit.frequencies, unit.length) / self.ideal)
        own = coverage(unit.frequencies, self.weights)
        context = coverage(unit.context, self.weights)
        pairs = unit.pairs / max(1, min(len(self.weights), FULL_COVERAGE_TERMS) - 1)
        relevance = round(0.3 * bm25 + 0.2 * context + 0.4 * own + 0.1 * min(1.0, pairs), 6)
        reading = quality(unit.text) ** 0.5 * (1 + 0.3 * unit.place)
        in_form = self.form is not None and self.form.met(unit.text)
        gain = self.form.gain if self.form is not None and in_form else 1.0
        return Statement(
            id=content_id("statement", document_id, unit.start, unit.end, unit.quote),
            document_id=document_id,
            start=unit.start,
            end=unit.end,
            page=unit.page,
            quote=unit.quote,
            text=unit.text,
            score=round(relevance * reading * (0.7 + 0.3 * document_relevance) * gain, 6),
            relevance=relevance,
            coverage=own,
            context=context,
            stems=tuple(unit.frequencies),
            facets=self._facets(unit.frequencies),
            in_form=in_form,
        )

    def _facets(self, held: Collection[str]) -> tuple[str, ...]:
        met = [(coverage(held, self.weights, facet.stems), facet.id) for facet in self.plan.facets]
        return tuple(facet for share, facet in sorted(met, key=lambda item: -item[0]) if share >= FACET_MET)


def _apart(statements: Sequence[Statement]) -> list[Statement]:
    """Statements that do not overlap with a better one."""
    kept: list[Statement] = []
    for statement in statements:
        if not any(statement.start < other.end and other.start < statement.end for other in kept):
            kept.append(statement)
    return kept
