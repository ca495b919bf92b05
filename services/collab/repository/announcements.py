"""Events of shares and comments, into the outbox."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from kit.bus.names import event_subject
from kit.db.outbox import Event, Outbox
from kit.ids import Ids
from services.collab.domain import Change


class OutboxAnnouncer:
    """Behind `ports.Announcer`."""

    def __init__(self, outbox: Outbox, ids: Ids, encode: Callable[[Change], bytes]) -> None:
        """`encode` makes an event's payload."""
        self._outbox = outbox
        self._ids = ids
        self._encode = encode

    def announce(self, conn: Connection, change: Change) -> None:
        event = Event(
            id=self._ids.new(),
            type=change.type,
            subject=event_subject("collab", change.type),
            key=change.subject_id,
            payload=self._encode(change),
            created_at=change.at,
        )
        self._outbox.append(conn, [event])
