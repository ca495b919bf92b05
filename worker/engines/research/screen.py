"""Stage *screen*: which documents are read, and why the others are not."""

from __future__ import annotations

from collections.abc import Sequence

from worker.engines.base import DocumentRecord, StageContext
from worker.engines.research.model import Candidate, Exclusion, Json, Plan, to_json
from worker.engines.research.settings import Settings
from worker.engines.text.terms import fold, words
from worker.engines.text.wording import count, were

MIN_COVERAGE = 0.12
"""A document whose best passage holds less than this weighted share of the prompt's terms is left out ..."""
MIN_RELATIVE_COVERAGE = 0.3
"""... and so is one that holds less than this part of what the best document holds."""
_LISTED = 50


async def run(ctx: StageContext) -> Json:
    """The documents to read, in order, and those left out."""
    settings = Settings.of(ctx.job)
    candidates = [Candidate.of(data) for data in ctx.outputs["gather"]["candidates"]]
    plan = Plan.of(ctx.outputs["plan"]["plan"])
    kept, excluded = screen(candidates, plan, settings.max_documents)
    rule = (
        f"no duplicate, and among the {settings.max_documents} whose titles together speak for the most documents."
        if plan.overview
        else f"a best passage with at least {MIN_COVERAGE:.0%} of the prompt's weighted terms and "
        f"{MIN_RELATIVE_COVERAGE:.0%} of the best document's, no duplicate, and "
        f"among the first {settings.max_documents} by fused rank."
    )
    ctx.decide(
        "documents screened",
        f"Of {count(len(candidates), 'document')} identified, {were(len(kept))} kept for reading and "
        f"{were(len(excluded))} left out. Kept: {rule}",
        alternatives=[f"read {count(len(candidates), 'document')}"] if excluded else [],
        excluded=[
            {"document_id": item.document_id, "title": item.title, "reason": item.reason} for item in excluded[:_LISTED]
        ],
    )
    await ctx.step(1, 1)
    return {"kept": [to_json(item) for item in kept], "excluded": [to_json(item) for item in excluded]}


def screen(candidates: Sequence[Candidate], plan: Plan, max_documents: int) -> tuple[list[Candidate], list[Exclusion]]:
    """Splits candidates (best first) into those to read and those left out with the reason."""
    word_of = {term.stem: term.word for term in plan.terms}
    best = max((candidate.coverage for candidate in candidates), default=0.0)
    kept: list[Candidate] = []
    excluded: list[Exclusion] = []
    seen: dict[str, str] = {}
    for candidate in candidates:
        record = candidate.record
        keys = work_keys(record)
        twin = next((seen[key] for key in keys if key in seen), None)
        for key in keys:
            seen.setdefault(key, record.title)
        if twin is not None:
            excluded.append(_out(record, f"duplicate of “{twin}”", "identification"))
        elif plan.overview and len(kept) >= max_documents:
            excluded.append(_out(record, f"beyond {_limit(max_documents)}", "screening"))
        elif plan.overview:
            kept.append(candidate)
        elif not candidate.passages:
            excluded.append(_out(record, "the searches found no passage of it", "screening"))
        elif candidate.coverage < MIN_COVERAGE or candidate.coverage < MIN_RELATIVE_COVERAGE * best:
            held = ", ".join(f"“{word_of[stem]}”" for stem in candidate.stems[:4]) or "none"
            excluded.append(_out(record, f"too little of what was asked: only {held}", "screening"))
        elif len(kept) >= max_documents:
            excluded.append(_out(record, f"ranked below {_limit(max_documents)}", "screening"))
        else:
            kept.append(candidate)
    return kept, excluded


def without_copies(candidates: Sequence[Candidate], excluded: Sequence[Exclusion]) -> list[Candidate]:
    """The candidates that were not left out as duplicates: a copy is no rival of its original."""
    copies = {item.document_id for item in excluded if item.stage == "identification"}
    return [item for item in candidates if item.document_id not in copies]


def work_keys(record: DocumentRecord) -> list[str]:
    """Keys under which two documents are the same work: the DOI; or a title of four words or more with first author and
    year. A title alone is not enough."""
    keys = []
    if record.doi:
        keys.append("doi:" + record.doi.strip().lower().removeprefix("https://doi.org/").removeprefix("doi:"))
    title = [fold(word.text) for word in words(record.title)]
    if len(title) >= 4 and record.year is not None and record.authors:
        author = "".join(fold(word.text) for word in words(record.authors[0]))
        keys.append(f"title:{' '.join(title)}|{record.year}|{author}")
    return keys


def _limit(documents: int) -> str:
    return "the one document that is read" if documents == 1 else f"the {documents} documents that are read"


def _out(record: DocumentRecord, reason: str, stage: str) -> Exclusion:
    return Exclusion(record.document_id, record.title, reason, stage)
