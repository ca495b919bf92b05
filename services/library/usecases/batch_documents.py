"""BatchDocuments: many texts, one a line, stored in one transaction with one result a line.

A line that cannot be used is answered with its error and the others go on; a body over a limit is refused whole.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.db.database import Database
from kit.errors import PrsmError, UnsupportedMediaType
from kit.ids import Ids
from kit.times import Clock, Instant
from services.library.domain import draft_of
from services.library.holdings import Arrival, Stored, unused
from services.library.ingest import Place, from_draft
from services.library.ports import Contents, Documents, Indexes
from services.library.spooling import Room
from services.library.streams import BadLine, NdjsonLimits, NdjsonLine, parse_ndjson

MEDIA_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_AT_ONCE = 250
"""Lines that are made into documents at a time."""


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line, counted from 1, and what it is: a document about to be stored, or an error."""

    number: int
    content: Arrival | PrsmError


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of a line."""

    number: int
    outcome: Stored | PrsmError


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A whole batch; nothing of it is stored yet. Batches with the same `fingerprint` are the same bytes."""

    lines: tuple[ReadLine, ...]
    fingerprint: str


class BatchDocuments:
    """In two steps, because whether a batch was there before is only known when its last line is in.

    Until it is stored, a batch stands in memory; `room` bounds all of them together.
    """

    def __init__(
        self,
        db: Database,
        documents: Documents,
        contents: Contents,
        indexes: Indexes,
        clock: Clock,
        ids: Ids,
        limits: NdjsonLimits,
        *,
        room: Room,
    ) -> None:
        self._db = db
        self._documents = documents
        self._contents = contents
        self._indexes = indexes
        self._clock = clock
        self._ids = ids
        self._limits = limits
        self._room = room

    @asynccontextmanager
    async def received(self, owner: str, content_type: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[ReadBatch]:
        """The batch once its last line is in; it is to be stored within the block.

        Raises UnsupportedMediaType, PayloadTooLarge, Unavailable.
        """
        taken = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal taken
            async for chunk in chunks:
                self._room.take(len(chunk))
                taken += len(chunk)
                yield chunk

        try:
            yield await self._read(owner, content_type, counted())
        finally:
            self._room.give_back(taken)

    async def _read(self, owner: str, content_type: str, chunks: AsyncIterator[bytes]) -> ReadBatch:
        if content_type.partition(";")[0].strip().lower() not in MEDIA_TYPES:
            raise UnsupportedMediaType("Send the documents as application/x-ndjson, one JSON object a line.")
        now = self._clock.now()
        digest = hashlib.sha256()
        read: list[ReadLine] = []
        waiting: list[tuple[NdjsonLine | BadLine, Place]] = []

        async def noted() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                digest.update(chunk)
                yield chunk

        async for line in parse_ndjson(noted(), self._limits):
            waiting.append((line, Place(self._ids.new(), owner, Instant(now + len(read) + len(waiting)))))
            if len(waiting) == _AT_ONCE:
                read += await asyncio.to_thread(_made, waiting)
                waiting = []
        read += await asyncio.to_thread(_made, waiting)
        return ReadBatch(tuple(read), digest.hexdigest())

    async def store(
        self, owner: str, batch: ReadBatch, record: Callable[[Connection, Sequence[LineResult]], None]
    ) -> list[LineResult]:
        """Store what was read; one result a line, in order. `record` is part of the transaction."""
        arrivals = [line.content for line in batch.lines if isinstance(line.content, Arrival)]
        for arrival in arrivals:
            await self._contents.keep(arrival.document, arrival.text, None)

        def store(conn: Connection) -> list[LineResult]:
            stored = iter(self._documents.store(conn, owner, arrivals) if arrivals else ())
            results = [
                LineResult(line.number, next(stored) if isinstance(line.content, Arrival) else line.content)
                for line in batch.lines
            ]
            record(conn, results)
            return results

        results = await self._db.write(store)
        if arrivals:
            self._indexes.changed(owner)
        stored = [each.outcome.document for each in results if isinstance(each.outcome, Stored)]
        for document in unused(arrivals, stored):
            await self._contents.forget(document)
        return results


def _made(lines: Sequence[tuple[NdjsonLine | BadLine, Place]]) -> list[ReadLine]:
    made: list[ReadLine] = []
    for line, place in lines:
        content: Arrival | PrsmError
        try:
            content = line.error if isinstance(line, BadLine) else from_draft(draft_of(line.value), place)
        except PrsmError as error:
            content = error
        made.append(ReadLine(line.number, content))
    return made
