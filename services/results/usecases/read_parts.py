"""Results read by parts: pages and chosen members of any document, and all of a large one."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from typing import Any

import orjson

from services.results.large.answers import Answers, Stored
from services.results.large.fields import Asked
from services.results.large.flow import Flow
from services.results.large.reduced import reduced
from services.results.large.scanner import scan
from services.results.large.shelf import Shelf, flow_of
from services.results.usecases.load_result import Found, LoadResult


class ReadParts:
    def __init__(self, load: LoadResult, shelf: Shelf) -> None:
        self._load = load
        self._shelf = shelf

    async def is_large(self, found: Found) -> bool:
        """Whether the document is never held as a whole. Raises Unavailable."""
        return await self._shelf.is_large(found.result)

    async def ready(self, found: Found) -> None:
        """Return once the document can be read at once: a large one is indexed first. Raises as `stored`."""
        if await self._shelf.is_large(found.result):
            await self._shelf.open(found.result)

    async def stored(self, found: Found) -> Stored:
        """The document, opened. Raises Unavailable, DeadlineExceeded, DocumentUnreadable."""
        if await self._shelf.is_large(found.result):
            return await self._shelf.open(found.result)
        document = (await self._load.document(found)).document
        return await asyncio.to_thread(in_memory, document, found.result.hash)

    async def __call__(self, found: Found, asked: Asked, metadata: Mapping[str, Any] | None) -> Flow:
        """Raises ValidationError, PayloadTooLarge, Unavailable, DeadlineExceeded, DocumentUnreadable."""
        stored = await self.stored(found)
        pieces = await Answers(stored, found.pointer.session_id, metadata).asked(asked)
        return flow_of(stored, pieces, filename="results.json")

    async def of_report(self, found: Found) -> bytes:
        """The document, a large one cut down to what a report of it shows. Raises as above."""
        if await self._shelf.is_large(found.result):
            return await reduced(await self._shelf.open(found.result))
        return (await self._load.document(found)).document


def in_memory(document: bytes, hash: str) -> Stored:
    """A document that is held, for reading by parts."""
    canonical = orjson.dumps(orjson.loads(document), option=orjson.OPT_SORT_KEYS)

    async def read(start: int, end: int) -> bytes:
        return canonical[start:end]

    return Stored(scan(io.BytesIO(canonical).read), read, hash)
