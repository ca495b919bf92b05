"""What a session's grant covers."""

from __future__ import annotations

from collections.abc import Sequence

from kit.auth.grants import Grant
from kit.db.database import Database
from services.library.domain import Document, Status
from services.library.errors import DocumentNotFound
from services.library.holdings import Held
from services.library.ports import Documents, Gatherings


def covers(grant: Grant, document: Document) -> bool:
    """Whether a worker with this grant may read the document.

    A grant that names no documents opens the owner's library, also what is deleted while the session works on it;
    named documents and datasets are open whoever's they are: session has checked them. What belongs to the session
    itself, as what connectors found for it, is open in any case.
    """
    if document.status is not Status.READY:
        return False
    if document.document_id in grant.documents or document.document_id in grant.datasets:
        return True
    if document.owner != grant.owner:
        return False
    return document.session_id == grant.session_id or (not grant.documents and document.session_id is None)


class GrantedDocuments:
    def __init__(self, db: Database, documents: Documents, gatherings: Gatherings) -> None:
        self._db = db
        self._documents = documents
        self._gatherings = gatherings

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

    async def gathered(self, grant: Grant) -> list[str]:
        """Ids of what was gathered for the session, beside what it was given."""
        own = await self._db.read(lambda conn: self._gatherings.ids_of_session(conn, grant.session_id, grant.owner))
        given = {*grant.documents, *grant.datasets}
        return [document_id for document_id in own if document_id not in given]
