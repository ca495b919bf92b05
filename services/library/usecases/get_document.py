"""GetDocument: the card of one of the caller's documents."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.db.database import Database
from services.library.domain import Document
from services.library.errors import DocumentNotFound
from services.library.ports import Documents


class GetDocument:
    def __init__(self, db: Database, documents: Documents) -> None:
        self._db = db
        self._documents = documents

    async def __call__(self, owner: str, document_id: str) -> Document:
        """Raises DocumentNotFound, for another owner's document too."""

        def find(conn: Connection) -> Document:
            held = self._documents.find(conn, document_id)
            if held is None or held.deleted or held.document.owner != owner:
                raise DocumentNotFound()
            (document,) = self._documents.same_works(conn, owner, [held.document])
            return document

        return await self._db.read(find)
