"""UploadDocuments: files become documents, all of one form in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.db.database import Database
from kit.errors import ValidationError
from kit.ids import Ids
from kit.times import Clock, Instant
from services.library.domain import Document
from services.library.errors import DocumentUnreadable
from services.library.holdings import Arrival
from services.library.ingest import Place, from_file, from_unreadable
from services.library.ports import Contents, Documents, Indexes, Parser
from services.library.streams import FormField, MultipartLimits, UploadedFile, parse_multipart

FILE_FIELD = "file"


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file, and what reading it came to."""

    file: UploadedFile
    arrival: Arrival
    error: DocumentUnreadable | None = None


@dataclass(frozen=True, slots=True)
class ReadForm:
    """A whole form; nothing of it is stored yet. Forms with the same `fingerprint` hold the same files."""

    files: tuple[ReadFile, ...]
    fingerprint: str


class UploadDocuments:
    """In two steps, because whether an upload was there before is only known when its last byte is in."""

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
    ) -> None:
        self._db = db
        self._documents = documents
        self._contents = contents
        self._indexes = indexes
        self._parser = parser
        self._clock = clock
        self._ids = ids
        self._limits = limits

    async def read(self, owner: str, content_type: str, chunks: AsyncIterator[bytes]) -> ReadForm:
        """Take the form apart and read its files while it arrives.

        Raises UnsupportedMediaType, PayloadTooLarge, ValidationError, and DocumentUnreadable when there is but one
        file and that cannot be read.
        """
        now = self._clock.now()
        digest = hashlib.sha256()
        reading: list[asyncio.Task[ReadFile]] = []
        try:
            async for part in parse_multipart(chunks, content_type, self._limits):
                if isinstance(part, FormField):
                    raise ValidationError.of(part.name, "is not a known field; send files only")
                for piece in (part.filename.encode(), part.content_type.encode(), part.data):
                    digest.update(hashlib.sha256(piece).digest())
                # A moment apart, so that a list shows the files of a form in their order.
                place = Place(self._ids.new(), owner, Instant(now + len(reading)))
                reading.append(asyncio.create_task(self._read(part, place)))
            files = tuple([await task for task in reading])
        finally:
            for task in reading:
                task.cancel()
        if not files:
            raise ValidationError.of(FILE_FIELD, "is required: send at least one file")
        if len(files) == 1 and files[0].error is not None:
            raise files[0].error
        return ReadForm(files, digest.hexdigest())

    async def store(
        self, owner: str, form: ReadForm, record: Callable[[Connection, Sequence[Document]], None]
    ) -> list[Document]:
        """Store what was read, in the order of the form. `record` is part of the transaction."""
        for read in form.files:
            await self._contents.keep(read.arrival.document, read.arrival.text, read.file.data)

        def store(conn: Connection) -> list[Document]:
            stored = self._documents.store(conn, owner, [read.arrival for read in form.files])
            found = [each.document for each in stored]
            record(conn, found)
            return found

        found = await self._db.write(store)
        self._indexes.changed(owner)
        return found

    async def _read(self, file: UploadedFile, place: Place) -> ReadFile:
        try:
            parsed = await self._parser.parse(file.data, filename=file.filename, content_type=file.content_type)
        except DocumentUnreadable as error:
            return ReadFile(file, from_unreadable(file, error, place), error)
        return ReadFile(file, await asyncio.to_thread(from_file, file, parsed, place))
