"""Stage *verify*: the texts are fetched again, and every quote is looked up at its offsets."""

from __future__ import annotations

from collections.abc import Mapping

from worker.engines.base import StageContext
from worker.engines.research.model import Json, Outline, Statement
from worker.engines.research.texts import texts_of
from worker.engines.text.identifiers import text_sha256
from worker.engines.text.wording import capitalised, count, were

BATCH = 16
_LOST = ("not found", "not found")


async def run(ctx: StageContext) -> Json:
    """The ids of the statements found verbatim at their offsets and those not found, the hash of each text checked, the
    documents whose text is not the one that was read, and the gists that stand where they should."""
    outline = Outline.of(ctx.outputs["synthesise"]["outline"])
    read: Mapping[str, str] = ctx.outputs["read"]["sha256"]
    gists: Mapping[str, Json] = ctx.outputs["read"].get("gists", {})
    by_document: dict[str, list[Statement]] = {}
    for claim in outline.claims:
        for statement in claim.statements:
            by_document.setdefault(statement.document_id, []).append(statement)
    documents = sorted(by_document)
    verified: list[str] = []
    failed: list[str] = []
    changed: list[str] = []
    digests: dict[str, str] = {}
    sound: dict[str, Json] = {}
    for first in range(0, len(documents), BATCH):
        batch = documents[first : first + BATCH]
        texts = await texts_of(ctx.sources, batch)
        for document_id, text in zip(batch, texts, strict=True):
            if text is None:
                failed.extend(statement.id for statement in by_document[document_id])
                continue
            digests[document_id] = text_sha256(text)
            if read.get(document_id, digests[document_id]) != digests[document_id]:
                changed.append(document_id)
            for statement in by_document[document_id]:
                found = text[statement.start : statement.end] == statement.quote
                (verified if found else failed).append(statement.id)
            gist = _gist(gists.get(document_id), text)
            if gist is not None:
                sound[document_id] = gist
        await ctx.step(min(first + BATCH, len(documents)), len(documents))
    ctx.decide("quotes verified", _told(len(verified), len(failed), len(changed)))
    await ctx.step(1, 1)
    return {
        "verified": sorted(verified),
        "failed": sorted(failed),
        "sha256": digests,
        "changed": changed,
        "gists": sound,
    }


def _gist(gist: Json | None, text: str) -> Json | None:
    """The gist with whole numbers, if it stands at its offsets."""
    if gist is None:
        return None
    start, end, page = int(gist["start"]), int(gist["end"]), gist.get("page")
    if text[start:end] != gist["text"]:
        return None
    return {"text": gist["text"], "start": start, "end": end, "page": None if page is None else int(page)}


def _all(quotes: int) -> str:
    return "Both quotes" if quotes == 2 else f"All {count(quotes, 'quote')}"


def _told(verified: int, failed: int, changed: int) -> str:
    checked = verified + failed
    if not checked:
        return "There was no quote to check."
    if failed:
        text = f"Of {count(checked, 'quote')}, {were(verified)} found again, word for word, at the offsets. "
        text += f"What rests on {'it' if checked == 1 else f'the {count(failed, *_LOST)}'} is marked unverified."
    else:
        every = "The one quote was" if checked == 1 else f"{_all(checked)} were"
        text = f"{every} found again, word for word, at {'its' if checked == 1 else 'their'} offsets."
    if changed:
        text += (
            f" {capitalised(count(changed, 'text'))} changed since reading; what still stands there is cited as it is."
        )
    return text
