"""DeleteDocument: out of the library, at once; what cites it keeps its text."""

from __future__ import annotations

from kit.db.database import Database
from services.library.errors import DocumentNotFound
from services.library.ports import Documents, Indexes


class DeleteDocument:
    def __init__(self, db: Database, documents: Documents, indexes: Indexes) -> None:
        self._db = db
        self._documents = documents
        self._indexes = indexes

    async def __call__(self, owner: str, document_id: str) -> None:
        """Raises DocumentNotFound, also for what is deleted already or belongs to a session."""
        if not await self._db.write(lambda conn: self._documents.delete(conn, owner, document_id)):
            raise DocumentNotFound()
        self._indexes.changed(owner)
