"""What happens around a session at collab becomes part of its history."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from kit.db.inbox import Inbox
from kit.errors import SessionNotFound
from services.session import lifecycle
from services.session.domain import Change, Entry, Session
from services.session.usecases.unit import SessionUnit

SOURCE = "prsm/collab"


@dataclass(frozen=True, slots=True)
class CollabEvent:
    """`version` is the share's or comment's own counter."""

    session_id: str
    subject_id: str
    version: int
    entry: Entry


class RecordCollabEvent:
    def __init__(self, unit: SessionUnit, inbox: Inbox) -> None:
        self._unit = unit
        self._inbox = inbox

    async def __call__(self, event: CollabEvent) -> None:
        """An event that was seen before, or is about no session here, changes nothing."""
        unit = self._unit
        now = unit.clock.now()

        def step(db: Connection, session: Session) -> Change | None:
            # Each version is a fact of its own: one that was overtaken on the way is still missing from the history.
            if not self._inbox.advance(db, SOURCE, f"{event.subject_id}:{event.version}", event.version):
                return None
            return lifecycle.note(session, event.entry, now)

        try:
            await unit.change(event.session_id, step)
        except SessionNotFound:
            return
