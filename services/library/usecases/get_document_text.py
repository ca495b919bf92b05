"""GetDocumentText: the stored text, for its owner and for whoever may view a session that uses the document."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.ids import is_uuid
from services.library.domain import Document, Status
from services.library.errors import DocumentNotFound, NoText
from services.library.ports import Contents, Documents, Uses, Viewers

_SESSIONS = 1000
"""Sessions that collab is asked about at a time."""
_ROUNDS = 10
"""How often, at most: a stranger's request must not cost without bound. The newest sessions come first."""


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
        if await self._db.read(lambda conn: self._uses.used_by(conn, document_id, principal.user_id)):
            return True
        before = ""
        for _ in range(_ROUNDS):
            sessions = await self._db.read(self._before(document_id, before))
            # Also asked where there is nothing to ask about: what does not exist and what is not shared take the same
            # way, and nothing is told by its time or by collab being away.
            asked = sessions or ([] if before else [document_id])
            if asked and await self._viewers.may_view_any(principal, asked):
                return True
            if len(sessions) < _SESSIONS:
                return False
            before = sessions[-1]
        return False

    def _before(self, document_id: str, before: str) -> Callable[[Connection], list[str]]:
        return lambda conn: self._uses.sessions_of(conn, document_id, before, _SESSIONS)

    async def _text(self, document: Document) -> str:
        if document.status is not Status.READY:
            raise NoText(document.problems)
        return await self._contents.text(document)
