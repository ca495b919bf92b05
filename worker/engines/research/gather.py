"""Stage *gather*: ask connectors, then search all there is from every side of the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.base import DocumentRecord, EngineError, Hit, StageContext
from worker.engines.research.changes import Changes
from worker.engines.research.connected import Connected, ask, connectors_of
from worker.engines.research.coverage import coverage, importance
from worker.engines.research.model import Candidate, Json, Passage, Plan, to_json
from worker.engines.research.settings import Settings
from worker.engines.research.survey import representative
from worker.engines.text.terms import Analyzer
from worker.engines.text.wording import count

RANK_CONSTANT = 60
"""k of reciprocal-rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): Σ weight / (k + rank) over the searches."""
MAX_LISTED = 200
"""Documents of a large library that an overview hands on; twice those read, if that is more, so that duplicates can be
replaced."""
PROMPT_WEIGHT = 2.0
"""The search for the whole prompt counts as much as two sides of it."""


async def run(ctx: StageContext) -> Json:
    """Candidates with the passages found, and the weight of each of the prompt's terms.

    Raises:
        EngineError: `no_usable_source` when there is neither a document nor a dataset to work on, and no connector
            answers.
    """
    settings = Settings.of(ctx.job)
    plan = Plan.of(ctx.outputs["plan"]["plan"])
    if plan.overview:
        return await _all_documents(ctx, settings)
    # First, for what they find is ranked among everything else: a search's scores hang on all that it looks through.
    connected = await ask(ctx, plan, settings)
    found: list[list[Hit]] = []
    named = [*ctx.job.documents, *connected.works] if ctx.job.documents else []
    for index, facet in enumerate(plan.facets):
        if ctx.write_up and found:
            ctx.decide(
                "searches cut short",
                f"{index} of {count(len(plan.facets), 'search', 'searches')} were made before writing up.",
            )
            break
        hits = await ctx.sources.search(
            facet.query, limit=settings.passages_per_search, document_ids=named, passages=True
        )
        found.append(hits)
        documents = len({hit.document_id for hit in hits})
        ctx.decide("searched", f"“{facet.label}”: {count(len(hits), 'passage')} in {count(documents, 'document')}.")
        await ctx.step(index + 1, len(plan.facets) + 1)
    records = await _records(ctx, found, connected)
    given = dict.fromkeys(ctx.job.documents, "given")
    sources = {**given, **connected.source_of}
    candidates, weights = await ctx.run(fuse, found, records, plan, settings.language, sources)
    await ctx.step(1, 1)
    return {
        "candidates": [to_json(candidate) for candidate in candidates],
        "weights": weights,
        "searches": len(found),
        "held": len(candidates),
        "connectors": connected.as_json(),
        "cut_short": connected.cut_short or len(found) < len(plan.facets),
    }


async def _all_documents(ctx: StageContext, settings: Settings) -> Json:
    """For an overview every document is a candidate, and none more than another."""
    if connectors_of(ctx):
        ctx.decide("connectors left out", "The prompt names no subject to ask them for.")
    records = list((await _usable(ctx, list(dict.fromkeys(ctx.job.documents)), Connected())).values())
    ordered = await ctx.run(representative, records, settings.max_documents, settings.language)
    ctx.decide(
        "documents listed",
        f"The sources hold {count(len(ordered), 'document')}; an overview takes them as they are, without a search.",
    )
    await ctx.step(1, 1)
    # Documents that the session names are answered for one by one.
    listed = ordered if ctx.job.documents else ordered[: max(MAX_LISTED, 2 * settings.max_documents)]
    source = "given" if ctx.job.documents else "library"
    candidates = [Candidate(record, 1.0, 1.0, stems=(), passages=(), source=source) for record in listed]
    return {
        "candidates": [to_json(candidate) for candidate in candidates],
        "weights": {},
        "searches": 0,
        "held": len(ordered),
        "connectors": {},
        "cut_short": False,
    }


async def _records(
    ctx: StageContext, found: Sequence[Sequence[Hit]], connected: Connected
) -> dict[str, DocumentRecord]:
    named = list(dict.fromkeys(ctx.job.documents))
    works = {document_id: work.record for document_id, work in connected.works.items()}
    hits = {hit.document_id for hits in found for hit in hits} - works.keys()
    if not named and not hits and works:
        return works
    # An empty list asks for the whole library, which matters only when no search found anything.
    usable = await _usable(ctx, named or sorted(hits), connected)
    if not named and not hits:
        ctx.decide("nothing found", f"No passage of the library's {count(len(usable), 'document')} matches the prompt.")
        return {}
    return {**usable, **works}


async def _usable(ctx: StageContext, wanted: Sequence[str], connected: Connected) -> dict[str, DocumentRecord]:
    """Cards of the documents that hold text, of the whole library when none is wanted."""
    named = list(dict.fromkeys(ctx.job.documents))
    cards = await ctx.sources.documents(wanted)
    usable = {card.document_id: card for card in cards if card.characters > 0}
    if not usable and not connected.works and not connected.answered and not ctx.job.datasets:
        problems = connected.problems()
        why = f" No connector could be asked: {problems}." if problems else ""
        raise EngineError("no_usable_source", f"None of the session's sources holds any text.{why}")
    missing = [document_id for document_id in named if document_id not in usable]
    if missing:
        ctx.decide(
            "sources left out",
            f"Of {count(len(named), 'document')} named, {count(len(missing), 'holds', 'hold')} no text or "
            f"{'is' if len(missing) == 1 else 'are'} gone.",
            excluded=[{"document_id": document_id, "reason": "no text"} for document_id in missing[:50]],
        )
    return usable


def fuse(
    found: Sequence[Sequence[Hit]],
    records: Mapping[str, DocumentRecord],
    plan: Plan,
    language: str,
    sources: Mapping[str, str],
) -> tuple[list[Candidate], dict[str, float]]:
    """Candidates by fused rank, best first, and the weights of the prompt's terms over the passages found. `sources`
    tells where documents come from that are not the library's."""
    analyzer = Analyzer(language)
    asked = {term.stem for term in plan.terms}
    changes = Changes.of(plan.facets[0].query, analyzer)
    stems: dict[tuple[str, int, int], frozenset[str]] = {}
    passages: dict[str, dict[tuple[int, int], Hit]] = {}
    fused: dict[str, float] = {}
    for index, hits in enumerate(found):
        ranked: dict[str, None] = {}
        for hit in hits:
            if hit.document_id not in records:
                continue
            ranked.setdefault(hit.document_id)
            passages.setdefault(hit.document_id, {}).setdefault((hit.start, hit.end), hit)
            key = (hit.document_id, hit.start, hit.end)
            if key not in stems:
                told = [*analyzer.terms(hit.quote), *changes.met_in(hit.quote, analyzer)]
                stems[key] = frozenset(asked.intersection(told))
        weight = PROMPT_WEIGHT if index == 0 else 1.0
        for rank, document_id in enumerate(ranked, start=1):
            fused[document_id] = fused.get(document_id, 0.0) + weight / (RANK_CONSTANT + rank)
    by_document: dict[str, set[str]] = {}
    for (document_id, _, _), held_here in stems.items():
        by_document.setdefault(document_id, set()).update(held_here)
    # By document and not by passage: the subject of one document fills its passages, and is no less telling for that.
    weights = importance(plan.terms, by_document.values())
    best = (PROMPT_WEIGHT + len(found) - 1) / (RANK_CONSTANT + 1) or 1.0
    candidates = []
    for document_id, record in records.items():
        title = asked.intersection(analyzer.terms(record.title))
        spans = sorted(passages.get(document_id, {}))
        held = [stems[document_id, start, end] for start, end in spans]
        candidates.append(
            Candidate(
                record=record,
                relevance=round(fused.get(document_id, 0.0) / best, 6),
                coverage=max((coverage(title | unit, weights) for unit in held), default=0.0),
                stems=tuple(stem for stem in weights if stem in title or any(stem in unit for unit in held)),
                passages=tuple(Passage(start, end, passages[document_id][start, end].page) for start, end in spans),
                source=sources.get(document_id, "library"),
            )
        )
    return sorted(candidates, key=_order), weights


def _order(candidate: Candidate) -> tuple[Any, ...]:
    return (-candidate.relevance, -candidate.coverage, candidate.record.title, candidate.document_id)
