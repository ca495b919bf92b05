"""What a session's grant covers."""

from __future__ import annotations

from collections.abc import Sequence

from kit.auth.grants import Grant
from kit.db.database import Database
from services.library.domain import Document, Status
from services.library.errors import DocumentNotFound
from services.library.holdings import Held
from services.library.ports import Documents


def covers(grant: Grant, document: Document) -> bool:
    """Whether a worker with this grant may read the document.

    A grant that names no documents opens the owner's library, also what is deleted while the session works on it;
    named documents and datasets are open whoever's they are: session has checked them.
    """
    if document.status is not Status.READY:
        return False
    if document.document_id in grant.documents or document.document_id in grant.datasets:
        return True
    return not grant.documents and document.owner == grant.owner and document.session_id is None


class GrantedDocuments:
    def __init__(self, db: Database, documents: Documents) -> None:
        self._db = db
        self._documents = documents

    async def one(self, grant: Grant, document_id: str) -> Document:
        """Raises DocumentNotFound for what the grant does not cover."""
        held = await self._db.read(lambda conn: self._documents.find(conn, document_id))
        if held is None or not covers(grant, held.document):
            raise DocumentNotFound()
        return held.document

    async def many(self, grant: Grant, document_ids: Sequence[str]) -> list[Document]:
        """In the order of the ids; what the grant does not cover is left out."""
        found: dict[str, Held] = await self._db.read(lambda conn: self._documents.find_many(conn, document_ids))
        held = (found.get(document_id) for document_id in dict.fromkeys(document_ids))
        return [each.document for each in held if each is not None and covers(grant, each.document)]

    async def library(self, grant: Grant, after: tuple[int, str], limit: int) -> list[Document]:
        """The owner's library, oldest first, after (created_at, document_id)."""
        return await self._db.read(lambda conn: self._documents.readable(conn, grant.owner, after, limit))
