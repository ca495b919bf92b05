"""The outbox: events are rows of the transaction that they tell of. A relay publishes them (`kit.bus.relay`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from kit.db.prepared import Statement
from kit.db.tables import KitTables
from kit.telemetry import scope

_EVENT = ("subject", "event_id", "event_type", "event_key", "payload", "created_at", "traceparent")


@dataclass(frozen=True, slots=True)
class Event:
    """An event to publish. `key` names the thing it is about; the version is inside the payload."""

    id: str
    type: str
    subject: str
    key: str
    payload: bytes
    created_at: int
    traceparent: str = ""
    """The trace that it belongs to; empty for that of the work which appends it."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    row: int
    event: Event


class Outbox:
    """Appends within a transaction; reads and marks for the relay."""

    def __init__(self, tables: KitTables) -> None:
        self._table = tables.outbox
        self._marks = tables.stream_marks
        t, m = self._table, self._marks
        self._insert = Statement(insert(t).inline(), _EVENT)
        oldest = select(t.c.id, *(t.c[name] for name in _EVENT)).where(t.c.published_at.is_(None)).order_by(t.c.id)
        self._unpublished = Statement(oldest.limit(bindparam("limit")))
        self._publish = Statement(update(t).where(t.c.id == bindparam("row")).values(published_at=bindparam("now")))
        self._move_mark = Statement(
            update(m)
            .where(m.c.stream == bindparam("of_stream"))
            .values(created=bindparam("since"), last_seq=bindparam("last"))
        )

    def append(self, connection: Connection, events: Sequence[Event]) -> None:
        if not events:
            return
        rows = [
            {
                "subject": event.subject,
                "event_id": event.id,
                "event_type": event.type,
                "event_key": event.key,
                "payload": event.payload,
                "created_at": event.created_at,
                "traceparent": event.traceparent or scope.traceparent(),
            }
            for event in events
        ]
        self._insert.run_many(connection, rows)

    def unpublished(self, connection: Connection, limit: int) -> list[StoredEvent]:
        """The oldest rows without a mark. Never "id greater than the last": a lower id may commit later."""
        return [
            StoredEvent(row, Event(id_, type_, subject, key, payload, created_at, traceparent))
            for row, subject, id_, type_, key, payload, created_at, traceparent in self._unpublished.all(
                connection, {"limit": limit}
            )
        ]

    def mark_published(self, connection: Connection, rows: Sequence[int], now: int) -> None:
        self._publish.run_many(connection, [{"row": row, "now": now} for row in rows])

    def republish_since(self, connection: Connection, since: int) -> int:
        """Take the marks off everything created after `since`; for a stream that lost messages."""
        t = self._table
        statement = update(t).where(t.c.created_at > since, t.c.published_at.is_not(None))
        return connection.execute(statement.values(published_at=None)).rowcount

    def prune(self, connection: Connection, before: int) -> int:
        """Delete published rows from before a moment."""
        t = self._table
        return connection.execute(delete(t).where(t.c.created_at < before, t.c.published_at.is_not(None))).rowcount

    def stream_mark(self, connection: Connection, stream: str) -> tuple[str, int] | None:
        """When the stream that was last published to had been created, and its last sequence number."""
        m = self._marks
        row = connection.execute(select(m.c.created, m.c.last_seq).where(m.c.stream == stream)).one_or_none()
        return (row.created, row.last_seq) if row else None

    def set_stream_mark(self, connection: Connection, stream: str, created: str, last_seq: int) -> None:
        m = self._marks
        if not self._move_mark.run(connection, {"of_stream": stream, "since": created, "last": last_seq}):
            connection.execute(insert(m).values(stream=stream, created=created, last_seq=last_seq))
