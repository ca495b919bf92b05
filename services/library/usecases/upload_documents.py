"""UploadDocuments: the files of a form become documents, all of one form in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.db.database import Database
from kit.errors import PayloadTooLarge, ValidationError
from kit.ids import Ids
from kit.times import Clock, Instant
from services.library.domain import Document
from services.library.errors import DocumentUnreadable
from services.library.holdings import Arrival, unused
from services.library.ingest import Place, from_file, from_unreadable
from services.library.ports import Contents, Documents, Indexes, Parser
from services.library.spooling import SpoolRoom
from services.library.streams import File, FormField, MultipartLimits, parse_multipart

FILE_FIELD = "file"
_MOST_CHARACTERS = 60_000_000
"""Of the texts of a form together, which stand in memory until they are stored: more than a form of plain text has.
Small containers may unpack to long texts."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that is whole; nothing of it is read or stored yet. Forms with the same `fingerprint` hold the same
    files."""

    files: tuple[File, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _ReadFile:
    file: File
    arrival: Arrival
    error: DocumentUnreadable | None = None


class UploadDocuments:
    """In two steps, because whether an upload was there before is only known when its last byte is in.

    A form waits on disk until it is its turn: what stands in memory of files and texts is that of a few forms,
    however many are sent at once.
    """

    def __init__(
        self,
        db: Database,
        documents: Documents,
        contents: Contents,
        indexes: Indexes,
        parser: Parser,
        clock: Clock,
        ids: Ids,
        limits: MultipartLimits,
        *,
        room: SpoolRoom,
        at_once: int,
    ) -> None:
        """`at_once` forms are read and stored at a time."""
        self._db = db
        self._documents = documents
        self._contents = contents
        self._indexes = indexes
        self._parser = parser
        self._clock = clock
        self._ids = ids
        self._limits = limits
        self._room = room
        self._turns = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def received(self, content_type: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[Form]:
        """The form once its last byte is in; its files can be read within the block.

        Raises UnsupportedMediaType, PayloadTooLarge, ValidationError, Unavailable.
        """
        with self._room.open() as spool:
            digest = hashlib.sha256()
            files: list[File] = []
            async for part in parse_multipart(chunks, content_type, self._limits, spool):
                if isinstance(part, FormField):
                    raise ValidationError.of(part.name, "is not a known field; send files only")
                for name in (part.filename, part.content_type):
                    digest.update(hashlib.sha256(name.encode()).digest())
                digest.update(bytes.fromhex(part.sha256))
                files.append(part)
            if not files:
                raise ValidationError.of(FILE_FIELD, "is required: send at least one file")
            yield Form(tuple(files), digest.hexdigest())

    async def store(
        self, owner: str, form: Form, record: Callable[[Connection, Sequence[Document]], None]
    ) -> list[Document]:
        """Read the files and store what they hold, in the order of the form; for a file that the library holds
        already, the document that is there. `record` is part of the transaction.

        Raises DocumentUnreadable when there is but one file and that cannot be read, PayloadTooLarge when they hold too
        much text together.
        """
        async with self._turns:
            found = await self._read(owner, form)
            for each in found:
                raw = await asyncio.to_thread(each.file.read)
                await self._contents.keep(each.arrival.document, each.arrival.text, raw)
            arrivals = [each.arrival for each in found]

            def store(conn: Connection) -> list[Document]:
                stored = [each.document for each in self._documents.store(conn, owner, arrivals)]
                record(conn, stored)
                return stored

            stored = await self._db.write(store)
            self._indexes.changed(owner)
            for document in unused(arrivals, stored):
                await self._contents.forget(document)
            return stored

    async def _read(self, owner: str, form: Form) -> list[_ReadFile]:
        now = self._clock.now()
        # A moment apart, so that a list shows the files of a form in their order.
        places = [Place(self._ids.new(), owner, Instant(now + number)) for number in range(len(form.files))]
        reading = [
            asyncio.create_task(self._read_file(file, place)) for file, place in zip(form.files, places, strict=True)
        ]
        try:
            found: list[_ReadFile] = []
            characters = 0
            for task in reading:
                found.append(await task)
                characters += found[-1].arrival.document.characters
                if characters > _MOST_CHARACTERS:
                    raise PayloadTooLarge(
                        f"The files hold over {_MOST_CHARACTERS:,} characters together; send fewer at a time."
                    )
        finally:
            for task in reading:
                task.cancel()
        if len(found) == 1 and found[0].error is not None:
            raise found[0].error
        return found

    async def _read_file(self, file: File, place: Place) -> _ReadFile:
        data = await asyncio.to_thread(file.read)
        try:
            parsed = await self._parser.parse(data, filename=file.filename, content_type=file.content_type)
        except DocumentUnreadable as error:
            return _ReadFile(file, from_unreadable(file, error, place), error)
        return _ReadFile(file, await asyncio.to_thread(from_file, file, parsed, place))
