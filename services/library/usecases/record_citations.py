"""A completed session's citations, from its event: whoever may view it may read what it cites."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from kit.db.database import Database
from kit.db.inbox import Inbox
from services.library.ports import Uses

SOURCE = "session"


@dataclass(frozen=True, slots=True)
class SessionCites:
    """What the event says."""

    session_id: str
    version: int
    owner: str
    document_ids: tuple[str, ...]


class RecordCitations:
    def __init__(self, db: Database, inbox: Inbox, uses: Uses) -> None:
        self._db = db
        self._inbox = inbox
        self._uses = uses

    async def __call__(self, event: SessionCites) -> None:
        """Applied once, however often the event comes."""

        def apply(conn: Connection) -> None:
            if self._inbox.advance(conn, SOURCE, event.session_id, event.version):
                self._uses.link(conn, event.session_id, event.owner, event.document_ids)

        await self._db.write(apply)
