"""Stage *read*: the best statements of every document kept, as verbatim quotes with their offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from worker.engines.base import StageContext
from worker.engines.research.coverage import weights_of
from worker.engines.research.gist import Gist
from worker.engines.research.model import Candidate, Exclusion, Json, Passage, Plan, Statement, to_json
from worker.engines.research.rank import rank
from worker.engines.research.scan import Scan, Scanner, page_of
from worker.engines.research.settings import Settings
from worker.engines.research.survey import Survey, rank_overview, survey
from worker.engines.research.texts import texts_of
from worker.engines.text.identifiers import text_sha256
from worker.engines.text.statements import display
from worker.engines.text.wording import capitalised, count

BATCH = 16
"""Documents fetched and scanned together; between batches a pause or a cancel takes effect."""

MAX_STATEMENTS = 400
"""Statements handed on; more would make no difference to a report."""
_PASSAGES_AROUND = 5


async def run(ctx: StageContext) -> Json:
    """Statements of the documents kept, best first, and the documents that gave none."""
    settings = Settings.of(ctx.job)
    plan = Plan.of(ctx.outputs["plan"]["plan"])
    weights = weights_of(plan, ctx.outputs["gather"]["weights"])
    kept = [Candidate.of(data) for data in ctx.outputs["screen"]["kept"]]
    scans: list[Scan] = []
    surveys: list[Survey] = []
    excluded: list[Exclusion] = []
    digests: dict[str, str] = {}
    seen: dict[str, str] = {}
    done = 0
    for first in range(0, len(kept), BATCH):
        if ctx.write_up and first:
            break
        batch = kept[first : first + BATCH]
        texts = await texts_of(ctx.sources, [item.document_id for item in batch])
        fresh: list[tuple[Candidate, str]] = []
        for candidate, text in zip(batch, texts, strict=True):
            if text is None:
                excluded.append(_out(candidate, "no longer in the library", "retrieval"))
                continue
            digest = text_sha256(text)
            if digest not in seen:
                seen[digest] = candidate.record.title
                digests[candidate.document_id] = digest
                fresh.append((candidate, text))
            else:
                excluded.append(_out(candidate, f"duplicate of “{seen[digest]}”: the same text", "identification"))
        if plan.overview:
            surveys.extend(await ctx.run(_survey_batch, fresh, settings.language))
        else:
            scans.extend(await ctx.run(_scan_batch, fresh, plan, settings.language))
        ctx.use("document_read", len(fresh))
        ctx.use("passage_read", sum(len(candidate.passages) for candidate, _ in fresh))
        done = min(first + BATCH, len(kept))
        await ctx.step(done, len(kept) + 1)
    excluded += [_out(item, "not read: the session was written up early", "retrieval") for item in kept[done:]]
    most = settings.depth.statements_per_document
    if plan.overview:
        found = await ctx.run(rank_overview, surveys, most, plan.facets[0].id)
        found = await _with_pages(ctx, found[:MAX_STATEMENTS], kept) + found[MAX_STATEMENTS:]
    else:
        found = await ctx.run(rank, scans, kept, ctx.job.prompt, plan, weights, most)
    found = _on_single_pages(found, kept)
    statements = found[:MAX_STATEMENTS]
    giving = {statement.document_id for statement in statements}
    outdone = {statement.document_id for statement in found} - giving
    excluded += [
        _out(
            item,
            f"read, but its statements rank below the {MAX_STATEMENTS} that are used"
            if item.document_id in outdone
            else "read, but it holds no sentence that can be quoted as a statement"
            if plan.overview
            else "read, but no sentence of it says enough about the prompt",
            "reading",
        )
        for item in kept[:done]
        if item.document_id in digests and item.document_id not in giving
    ]
    gists = await _gists(ctx, [*surveys, *scans], kept)
    _decide(ctx, statements, digests, excluded, len(kept) - done)
    await ctx.step(1, 1)
    return {
        "statements": [to_json(statement) for statement in statements],
        "gists": gists,
        "excluded": [to_json(item) for item in excluded],
        "sha256": {key: digests[key] for key in sorted(giving)},
        "read": len(digests),
        "cut_short": done < len(kept),
    }


def _scan_batch(batch: Sequence[tuple[Candidate, str]], plan: Plan, language: str) -> list[Scan]:
    scanner = Scanner(plan.terms, language, plan.facets[0].query)
    return [
        scanner.scan(
            candidate.document_id,
            candidate.record.title,
            text,
            candidate.passages,
            # Only passages know their page, so a document with pages is read where the searches pointed.
            whole=candidate.record.pages <= 1,
            works=candidate.record.works,
        )
        for candidate, text in batch
    ]


def _survey_batch(batch: Sequence[tuple[Candidate, str]], language: str) -> list[Survey]:
    return [
        survey(candidate.document_id, candidate.record.title, text, language, candidate.record.works)
        for candidate, text in batch
    ]


async def _with_pages(ctx: StageContext, found: list[Statement], kept: Sequence[Candidate]) -> list[Statement]:
    """The statements with their pages: only passages know them, so those of a document with pages are searched for."""
    paged = {item.document_id for item in kept if item.record.pages > 1}
    return [
        replace(item, page=await _page(ctx, item.document_id, item) if item.document_id in paged else None)
        for item in found
    ]


def _on_single_pages(found: Sequence[Statement], kept: Sequence[Candidate]) -> list[Statement]:
    """The statements, those of a document with a single page on that page: nothing needs to be searched for it."""
    single = {item.document_id for item in kept if item.record.pages == 1}
    return [replace(item, page=1) if item.document_id in single else item for item in found]


async def _gists(ctx: StageContext, read: Sequence[Survey | Scan], kept: Sequence[Candidate]) -> Json:
    """The gist of every document read, by its id; null for one without."""
    by_id = {item.document_id: item for item in kept}
    found: Json = {}
    for one in sorted(read, key=lambda one: one.document_id):
        candidate, gist = by_id[one.document_id], one.gist
        if gist is None:
            found[one.document_id] = None
            continue
        page = 1 if candidate.record.pages == 1 else page_of(gist.start, gist.end, candidate.passages)
        if candidate.record.pages > 1 and page is None:
            page = await _page(ctx, one.document_id, gist)
        found[one.document_id] = {
            "start": gist.start,
            "end": gist.end,
            "page": page,
            "quote": gist.quote,
            "text": gist.quote,
        }
    return found


async def _page(ctx: StageContext, document_id: str, item: Statement | Gist) -> int | None:
    hits = await ctx.sources.search(
        display(item.quote), limit=_PASSAGES_AROUND, document_ids=[document_id], passages=True
    )
    passages = [Passage(hit.start, hit.end, hit.page) for hit in hits]
    around = [passage for passage in passages if passage.start < item.end and item.start < passage.end]
    return page_of(item.start, item.end, around)


def _decide(
    ctx: StageContext,
    statements: Sequence[Statement],
    digests: Mapping[str, str],
    excluded: Sequence[Exclusion],
    unread: int,
) -> None:
    giving = len({statement.document_id for statement in statements})
    reason = f"{capitalised(count(len(digests), 'document'))} read; "
    reason += f"{count(len(statements), 'statement')} of {count(giving, 'document')} taken as evidence."
    if unread:
        left = capitalised(count(unread, "document was", "documents were"))
        reason += f" {left} not read, because time or budget was nearly spent."
    ctx.decide(
        "evidence taken",
        reason,
        excluded=[
            {"document_id": item.document_id, "title": item.title, "reason": item.reason} for item in excluded[:50]
        ],
    )


def _out(candidate: Candidate, reason: str, stage: str) -> Exclusion:
    return Exclusion(candidate.document_id, candidate.record.title, reason, stage)
