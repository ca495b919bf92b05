"""From places that an index found to hits with their quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kit.db.database import Database
from services.library.holdings import Hit
from services.library.index.library_index import IndexHit
from services.library.ports import Contents, Documents

_TEXTS = 100
"""Texts in hand at a time."""
_OVERHEAD = 200
"""Bytes of a hit beside its title and quote, roughly."""


class Quoter:
    def __init__(self, db: Database, documents: Documents, contents: Contents) -> None:
        self._db = db
        self._documents = documents
        self._contents = contents

    async def hits(self, found: Sequence[IndexHit], *, most_bytes: int, deleted: bool = False) -> list[Hit]:
        """The hits in the same order; documents that are gone meanwhile are left out, but with `deleted` only those
        that are gone for good. Should the hits be more than `most_bytes` together, the longest quotes end earlier:
        still verbatim, still at their offsets."""
        wanted = list(dict.fromkeys(hit.document_id for hit in found))
        held = await self._db.read(lambda conn: self._documents.find_many(conn, wanted))
        quotes: dict[tuple[str, int, int], str] = {}
        for begin in range(0, len(wanted), _TEXTS):
            some = set(wanted[begin : begin + _TEXTS])
            texts = await self._contents.texts(some)
            for hit in found:
                if hit.document_id in some and hit.document_id in texts:
                    quotes[hit.document_id, hit.start, hit.end] = texts[hit.document_id][hit.start : hit.end]
        hits: list[Hit] = []
        for hit in found:
            quote = quotes.get((hit.document_id, hit.start, hit.end))
            kept = held.get(hit.document_id)
            if kept is None or quote is None or (kept.deleted and not deleted):
                continue
            document = kept.document
            hits.append(
                Hit(
                    document_id=hit.document_id,
                    external_id=document.external_id,
                    title=document.title,
                    score=hit.score,
                    quote=quote,
                    page=hit.page,
                    start=hit.start,
                    end=hit.end,
                )
            )
        return within(hits, most_bytes)


def within(hits: Sequence[Hit], most_bytes: int) -> list[Hit]:
    """Shorten the longest quotes, alike, until all hits take at most `most_bytes`."""
    sizes = [len(hit.quote.encode()) for hit in hits]
    fixed = sum(_OVERHEAD + len(hit.title.encode()) + len((hit.external_id or "").encode()) for hit in hits)
    left = max(0, most_bytes - fixed)
    if sum(sizes) <= left:
        return list(hits)
    # The largest size for which all quotes cut to it fit.
    low, high = 0, max(sizes)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(size, middle) for size in sizes) <= left:
            low = middle
        else:
            high = middle - 1
    return [hit if size <= low else _shortened(hit, low) for hit, size in zip(hits, sizes, strict=True)]


def _shortened(hit: Hit, size: int) -> Hit:
    cut = hit.quote.encode()[:size].decode(errors="ignore")
    quote = (cut.rsplit(None, 1)[0] if " " in cut else cut).rstrip()
    return replace(hit, quote=quote, end=hit.start + len(quote))
