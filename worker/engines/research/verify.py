"""Stage *verify*: every quote is looked up again in its source."""

from __future__ import annotations

from worker.engines.base import StageContext
from worker.engines.research.model import Json, Outline, Statement
from worker.engines.research.texts import texts_of
from worker.engines.text.identifiers import text_sha256
from worker.engines.text.wording import count

BATCH = 16


async def run(ctx: StageContext) -> Json:
    """The ids of the statements found verbatim at their offsets, those not found, and the hash of each text checked."""
    outline = Outline.of(ctx.outputs["synthesise"]["outline"])
    by_document: dict[str, list[Statement]] = {}
    for claim in outline.claims:
        for statement in claim.statements:
            by_document.setdefault(statement.document_id, []).append(statement)
    documents = sorted(by_document)
    verified: list[str] = []
    failed: list[str] = []
    digests: dict[str, str] = {}
    for first in range(0, len(documents), BATCH):
        batch = documents[first : first + BATCH]
        texts = await texts_of(ctx.sources, batch)
        for document_id, text in zip(batch, texts, strict=True):
            if text is None:
                failed.extend(statement.id for statement in by_document[document_id])
                continue
            digests[document_id] = text_sha256(text)
            for statement in by_document[document_id]:
                found = text[statement.start : statement.end] == statement.quote
                (verified if found else failed).append(statement.id)
        await ctx.step(min(first + BATCH, len(documents)), len(documents))
    checked = len(verified) + len(failed)
    ctx.decide(
        "quotes verified",
        f"{len(verified)} of {count(checked, 'quote')} were found again, word for word, at their offsets."
        + (f" {len(failed)} were not; what rests on them is marked unverified." if failed else ""),
    )
    return {"verified": sorted(verified), "failed": sorted(failed), "sha256": digests}
