"""Whether the stream still has what it acknowledged.

The outbox notes under which number the stream keeps each event. Messages leave a stream by age, oldest first; whatever
else is missing is a loss, and shows in one of these ways:

- The stream was made anew: it was deleted, or its store was wiped.
- It was set back to an older state. Then its end is missing and with it our newest event, unless more was published
  since; so whenever the broker may have been started again, every event since the last look is looked up, not the
  newest alone.
- Its beginning is missing before its time: a purge.
- Messages are missing from between others: deleted singly, or damaged on disk.

While all is well, a look costs two questions to the broker.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from nats.js.errors import NotFoundError
from sqlalchemy import Connection

from kit.bus.connection import Bus
from kit.bus.names import EVENTS_STREAM
from kit.bus.stream_view import StreamView, deleted, event_under
from kit.db.database import Database
from kit.db.outbox import Outbox, Position
from kit.times import MINUTE

# Between a message's own moment and that of its acknowledgement, a copy found by its id included, lies less than this.
_MARGIN = 5 * MINUTE
_PAGE = 64
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Loss:
    reason: str
    rows: tuple[int, ...] | None = None
    """What was lost; None for everything that is kept."""
    set_back: bool = False
    """Under numbers that were used before lie, or will lie, other events."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found. Without a loss, everything up to the number `complete` is there."""

    view: StreamView
    known: bool
    loss: Loss | None
    complete: int
    recorded: int
    """Up to which number the record says so."""


class StreamCheck:
    """One relay's looks at the stream; it remembers what lets the next one be short."""

    def __init__(self, *, db: Database, outbox: Outbox, bus: Bus) -> None:
        self._db = db
        self._outbox = outbox
        self._bus = bus
        self._leader: str | None = None
        self._gone: list[int] = []

    async def look(self, *, suspicious: bool) -> Look:
        """`suspicious` for a thorough one. Makes the stream if it is not there."""
        # First what is on record: what another relay publishes between the two must not look like a loss.
        mark, newest = await self._db.read(self._record)
        try:
            view = await self._bus.look_at(EVENTS_STREAM)
        except NotFoundError:
            await self._bus.ensure_streams()
            view = await self._bus.look_at(EVENTS_STREAM)
        # An acknowledged message can only go missing from the end where a server starts again or another one leads.
        thorough = suspicious or view.leader != self._leader
        complete = min(mark[1], view.last_seq) if mark else view.last_seq
        loss = await self._loss(view, mark, newest, thorough) if mark else None
        if loss is None:
            self._leader = view.leader
            complete = newest.seq if newest else complete
        return Look(view, mark is not None, loss, complete, mark[1] if mark else -1)

    def _record(self, connection: Connection) -> tuple[tuple[str, int] | None, Position | None]:
        return self._outbox.stream_mark(connection, EVENTS_STREAM), self._outbox.newest(connection)

    async def _loss(
        self, view: StreamView, mark: tuple[str, int], newest: Position | None, thorough: bool
    ) -> Loss | None:
        created, complete = mark
        if created != view.created:
            return Loss("made anew")
        if newest is None:
            return None
        if newest.seq > view.last_seq:
            return Loss("set back", set_back=True)
        if not await self._as_noted(view, newest, min(complete, newest.seq) if thorough else newest.seq):
            return Loss("set back", set_back=True)
        return await self._purged(view) or await self._deleted(view, thorough)

    async def _as_noted(self, view: StreamView, newest: Position, since: int) -> bool:
        """Whether no other event lies where ours are said to be."""
        start: int | None = max(since, view.first_seq)
        while start is not None and start <= newest.seq:
            page = await self._db.read(partial(self._outbox.positions_from, seq=start, limit=_PAGE))
            js = self._bus.jetstream()
            found = await asyncio.gather(*(event_under(js, EVENTS_STREAM, position.seq) for position in page))
            if any(id_ not in (None, position.event_id) for id_, position in zip(found, page, strict=True)):
                return False
            start = page[-1].seq + 1 if len(page) == _PAGE else None
        return True

    async def _purged(self, view: StreamView) -> Loss | None:
        if view.bounded and not view.empty:
            return None  # It may have let go of its oldest for want of room.
        below = await self._db.read(lambda c: self._outbox.newest_below(c, view.first_seq))
        since = view.at - view.max_age + _MARGIN if view.max_age else 0
        return Loss("purged") if below is not None and below.published_at > since else None

    async def _deleted(self, view: StreamView, thorough: bool) -> Loss | None:
        expected = len(self._gone) - bisect_right(self._gone, view.first_seq)
        if view.deleted == 0 or (view.deleted == expected and not thorough):
            return None
        gone = await deleted(self._bus.client, EVENTS_STREAM)
        rows = await self._db.read(lambda c: self._lost_rows(c, gone))
        self._gone = gone
        if not rows:
            return None
        # What an older release published may be among it: nobody noted where it lay.
        unplaced = await self._db.read(self._outbox.has_unplaced)
        return Loss("messages deleted", None if unplaced else tuple(rows))

    def _lost_rows(self, connection: Connection, gone: Sequence[int]) -> list[int]:
        rows: list[int] = []
        for start in range(0, len(gone), _CHUNK):
            rows += self._outbox.kept_under(connection, gone[start : start + _CHUNK])
        return rows
