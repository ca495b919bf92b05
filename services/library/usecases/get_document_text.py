"""GetDocumentText: the stored text, for its owner and for whoever may view a session that uses the document."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.ids import is_uuid
from services.library.domain import Document, Status
from services.library.errors import DocumentNotFound, NoText
from services.library.ports import Contents, Documents, Uses, Viewers

_SESSIONS = 1000
"""Of the sessions that use a document, the newest so many are asked about."""


class GetDocumentText:
    def __init__(self, db: Database, documents: Documents, uses: Uses, contents: Contents, viewers: Viewers) -> None:
        self._db = db
        self._documents = documents
        self._uses = uses
        self._contents = contents
        self._viewers = viewers

    async def __call__(self, principal: Principal, document_id: str) -> str:
        """Raises DocumentNotFound, NoText, Unavailable."""
        if not is_uuid(document_id):
            raise DocumentNotFound()
        held = await self._db.read(lambda conn: self._documents.find(conn, document_id))
        if held is not None and not held.deleted and held.document.owner == principal.user_id:
            return await self._text(held.document)
        if not await self._in_view(principal, document_id) or held is None:
            raise DocumentNotFound()
        return await self._text(held.document)

    async def _in_view(self, principal: Principal, document_id: str) -> bool:
        uses = await self._db.read(lambda conn: self._uses.sessions_of(conn, document_id, _SESSIONS))
        if any(owner == principal.user_id for _, owner in uses):
            return True
        # Also where there is nothing to ask about: what does not exist and what is not shared take the same way, and
        # nothing is told by its time or by collab being away.
        sessions = [session_id for session_id, _ in uses] or [document_id]
        return await self._viewers.may_view_any(principal, sessions)

    async def _text(self, document: Document) -> str:
        if document.status is not Status.READY:
            raise NoText(document.problems)
        return await self._contents.text(document)
