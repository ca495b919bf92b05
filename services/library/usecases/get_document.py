"""GetDocument: the card of one of the caller's documents."""

from __future__ import annotations

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
        held = await self._db.read(lambda conn: self._documents.find(conn, document_id))
        if held is None or held.deleted or held.document.owner != owner:
            raise DocumentNotFound()
        return held.document
