"""CreateDocument: a text becomes a document of the caller's library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection

from kit.db.database import Database
from kit.ids import Ids
from kit.times import Clock
from services.library.domain import Document, Draft
from services.library.holdings import unused
from services.library.ingest import Place, from_draft
from services.library.ports import Contents, Documents, Indexes


class CreateDocument:
    def __init__(
        self, db: Database, documents: Documents, contents: Contents, indexes: Indexes, clock: Clock, ids: Ids
    ) -> None:
        self._db = db
        self._documents = documents
        self._contents = contents
        self._indexes = indexes
        self._clock = clock
        self._ids = ids

    async def __call__(self, owner: str, draft: Draft, record: Callable[[Connection, Document], None]) -> Document:
        """The stored document; the one that is there already when an external id comes again with the same content, or
        without one the same text.

        `record` writes the outcome down for the caller's key, in the same transaction. Raises ValidationError.
        """
        place = Place(self._ids.new(), owner, self._clock.now())
        arrival = await asyncio.to_thread(from_draft, draft, place)

        def store(conn: Connection) -> Document:
            (stored,) = self._documents.store(conn, owner, [arrival])
            record(conn, stored.document)
            return stored.document

        await self._contents.keep(arrival.document, arrival.text, None)
        document = await self._db.write(store)
        self._indexes.changed(owner)
        for other in unused([arrival], [document]):
            await self._contents.forget(other)
        return document
