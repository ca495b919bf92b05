"""The outbox: events are rows of the transaction that they tell of. A relay publishes them (`kit.bus.relay`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, or_, select, update

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
    resent: int = 0
    """How often the stream lost it."""

    @property
    def message_id(self) -> str:
        """What the stream recognizes a second copy by. Of a message that it lost it remembers that for a while, so
        what is published anew needs another one."""
        return f"{self.event.id}.{self.resent}" if self.resent else self.event.id


@dataclass(frozen=True, slots=True)
class Position:
    """Under which number the stream keeps an event, and when it acknowledged that, by the broker's clock."""

    row: int
    event_id: str
    seq: int
    published_at: int


class Outbox:
    """Appends within a transaction; reads and marks for the relay."""

    def __init__(self, tables: KitTables) -> None:
        self._table = tables.outbox
        self._marks = tables.stream_marks
        t, m = self._table, self._marks
        self._insert = Statement(insert(t).inline(), _EVENT)
        oldest = select(t.c.id, t.c.resent, *(t.c[name] for name in _EVENT)).order_by(t.c.id)
        oldest = oldest.where(t.c.published_at.is_(None), t.c.set_aside_at.is_(None))
        self._unpublished = Statement(oldest.limit(bindparam("limit")))
        marked = update(t).where(t.c.id == bindparam("row"))
        self._publish = Statement(marked.values(published_at=bindparam("now"), stream_seq=bindparam("seq")))
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
            StoredEvent(row, Event(id_, type_, subject, key, payload, created_at, traceparent), resent)
            for row, resent, subject, id_, type_, key, payload, created_at, traceparent in self._unpublished.all(
                connection, {"limit": limit}
            )
        ]

    def mark_published(self, connection: Connection, rows: Mapping[int, int], now: int) -> None:
        """Note for each of `rows` the number that the stream gave it; `now` is by the broker's clock."""
        self._publish.run_many(connection, [{"row": row, "seq": seq, "now": now} for row, seq in rows.items()])

    def set_aside(self, connection: Connection, row: int, now: int) -> None:
        """Leave out an event that the broker refuses as it is, so that the others go on."""
        t = self._table
        connection.execute(update(t).where(t.c.id == row).values(set_aside_at=now))

    def take_up(self, connection: Connection) -> int:
        """Try again what was set aside: the broker's limits may have been raised; how many there are."""
        t = self._table
        return connection.execute(update(t).where(t.c.set_aside_at.is_not(None)).values(set_aside_at=None)).rowcount

    def newest(self, connection: Connection) -> Position | None:
        """The event with the highest number in the stream."""
        found = self._positions(connection, self._known().order_by(self._table.c.stream_seq.desc()).limit(1))
        return found[0] if found else None

    def newest_below(self, connection: Connection, seq: int) -> Position | None:
        """The event with the highest number lower than `seq`."""
        t = self._table
        known = self._known().where(t.c.stream_seq < seq)
        found = self._positions(connection, known.order_by(t.c.stream_seq.desc()).limit(1))
        return found[0] if found else None

    def positions_from(self, connection: Connection, seq: int, limit: int) -> list[Position]:
        """The events from the number `seq` on."""
        t = self._table
        known = self._known().where(t.c.stream_seq >= seq)
        return self._positions(connection, known.order_by(t.c.stream_seq).limit(limit))

    def kept_under(self, connection: Connection, seqs: Collection[int]) -> list[int]:
        """The rows that the stream kept under these numbers."""
        t = self._table
        return list(connection.execute(select(t.c.id).where(t.c.stream_seq.in_(seqs))).scalars())

    def has_unplaced(self, connection: Connection) -> bool:
        """Whether an older release published something and did not note where."""
        t = self._table
        unknown = select(t.c.id).where(t.c.stream_seq.is_(None), t.c.published_at.is_not(None))
        return connection.execute(unknown.limit(1)).scalar_one_or_none() is not None

    def republish_since(self, connection: Connection, since: int) -> int:
        """Take the marks off everything created after `since`; for a stream that lost messages."""
        t = self._table
        return self._republish(connection, t.c.created_at > since)

    def republish_rows(self, connection: Connection, rows: Collection[int]) -> int:
        """Take the marks off these rows."""
        return self._republish(connection, self._table.c.id.in_(rows))

    def republish_after(self, connection: Connection, row: int, limit: int) -> tuple[int, int | None]:
        """Take the marks off up to `limit` rows after `row`; how many had one, and the last row, None at the end."""
        t = self._table
        ids = list(connection.execute(select(t.c.id).where(t.c.id > row).order_by(t.c.id).limit(limit)).scalars())
        if not ids:
            return 0, None
        return self._republish(connection, t.c.id.between(ids[0], ids[-1])), ids[-1]

    def prune(self, connection: Connection, before: int, released: int | None, limit: int) -> int:
        """Delete up to `limit` published rows from before a moment; how many they were. `released` is the lowest number
        that the stream still has: what it keeps is kept here, whatever a clock says. None if it keeps for ever."""
        t = self._table
        old = select(t.c.id).where(t.c.created_at < before, t.c.published_at.is_not(None))
        if released is not None:
            old = old.where(or_(t.c.stream_seq.is_(None), t.c.stream_seq < released))
        return connection.execute(delete(t).where(t.c.id.in_(old.limit(limit)))).rowcount

    def stream_mark(self, connection: Connection, stream: str) -> tuple[str, int] | None:
        """When the stream that is published to had been created, and up to which number it was found complete."""
        m = self._marks
        row = connection.execute(select(m.c.created, m.c.last_seq).where(m.c.stream == stream)).one_or_none()
        return (row.created, row.last_seq) if row else None

    def set_stream_mark(self, connection: Connection, stream: str, created: str, last_seq: int) -> None:
        m = self._marks
        if not self._move_mark.run(connection, {"of_stream": stream, "since": created, "last": last_seq}):
            connection.execute(insert(m).values(stream=stream, created=created, last_seq=last_seq))

    def _known(self) -> Select[Any]:
        t = self._table
        return select(t.c.id, t.c.event_id, t.c.stream_seq, t.c.published_at).where(t.c.stream_seq.is_not(None))

    def _positions(self, connection: Connection, query: Select[Any]) -> list[Position]:
        return [Position(*row) for row in connection.execute(query)]

    def _republish(self, connection: Connection, which: object) -> int:
        t = self._table
        published = update(t).where(which, t.c.published_at.is_not(None))  # type: ignore[arg-type]
        again = published.values(published_at=None, stream_seq=None, resent=t.c.resent + 1)
        return connection.execute(again).rowcount
