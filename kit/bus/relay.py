"""The relay: one per database, by a leased row, publishes the outbox in order and in batches with acks.

A stream that lost messages is noticed (`kit.bus.losses`), and what it lost is published again, under message ids that
the stream has not seen. Consumers apply only what is news to them, so that changes nothing else. An event that the
broker refuses as it is, for its size, is set aside and tried again later; the others go on.
"""

from __future__ import annotations

import asyncio
from functools import partial
from time import perf_counter

import structlog
from sqlalchemy import Connection

from kit.bus.cloud_event import message_of, span_of
from kit.bus.connection import Bus, keep_trying
from kit.bus.durables import forget_positions
from kit.bus.losses import Look, Loss, StreamCheck
from kit.bus.names import EVENTS_STREAM
from kit.bus.publisher import Ack, Publisher, Refused
from kit.bus.stream_view import StreamView
from kit.db.database import Database
from kit.db.leases import Leases
from kit.db.outbox import Outbox, StoredEvent
from kit.errors import Unavailable
from kit.ids import Ids
from kit.telemetry.metrics import Counter, Histogram
from kit.times import DAY, HOUR, SECOND, Clock

log = structlog.get_logger("relay")
PUBLISHED = Counter("prsm_relay_published_events_total", "Events that the stream acknowledged.")
FAILED = Counter("prsm_relay_failed_events_total", "Events that were sent and not acknowledged in time.")
REFUSED = Counter("prsm_relay_refused_events_total", "Events that the broker refused as they are.")
REPUBLISHED = Counter("prsm_relay_republished_events_total", "Events published again because the stream lost some.")
DURATION = Histogram("prsm_relay_publish_duration_seconds", "Publishing of one batch, acknowledgements included.")
for _counter in (PUBLISHED, FAILED, REFUSED, REPUBLISHED):
    _counter.prepare()
_BATCH = 256
_CHUNK = 5_000
_GATHER = 0.02
_SETTLE = 0.25
_LEASE = 5 * SECOND


class Relay:
    """Run it as a task; it ends when cancelled."""

    def __init__(
        self,
        *,
        db: Database,
        outbox: Outbox,
        leases: Leases,
        bus: Bus,
        clock: Clock,
        ids: Ids,
        source: str,
        poll: float,
        retention: int = 7 * DAY,
        check: int = 5 * SECOND,
        prune: int = HOUR,
    ) -> None:
        """`poll` is in seconds; `retention`, `check` for how often the stream is looked at, and `prune` for how often
        events beyond the retention are deleted and those set aside tried again, in microseconds; `source` is the
        CloudEvents source."""
        self._db = db
        self._outbox = outbox
        self._leases = leases
        self._bus = bus
        self._clock = clock
        self._holder = ids.new()
        self._source = source
        self._poll = poll
        self._retention = retention
        self._awake = asyncio.Event()
        self._publisher = Publisher(bus)
        self._stream = StreamCheck(db=db, outbox=outbox, bus=bus)
        self._check = check
        self._view: StreamView | None = None
        self._looked = 0
        self._suspicious = True
        self._due = True
        self._connections = 0
        self._newest = 0
        self._prune = prune
        self._pruned = clock.monotonic() - prune
        self._held_until = 0
        self._left_until = 0
        db.on_commit(self._awake.set)

    async def run(self) -> None:
        try:
            await keep_trying("relay", self._step)
        finally:
            await asyncio.shield(self._db.write(lambda c: self._leases.give_back(c, "relay", self._holder)))

    async def _step(self) -> None:
        await self._bus.ready()
        self._awake.clear()
        view = await self._look()
        rows = await self._db.read(lambda c: self._outbox.unpublished(c, _BATCH))
        held = bool(rows) and await self._hold()
        if held:
            await self._publish(rows, view)
        await self._tidy(view)
        if not held or len(rows) < _BATCH:
            try:
                await asyncio.wait_for(self._awake.wait(), self._poll)
                # What is committed within the next moment travels in the same batch.
                await asyncio.sleep(_GATHER)
            except TimeoutError:
                pass

    async def _hold(self) -> bool:
        # Half of the lease is margin enough; extending it with every batch would cost a commit each time.
        steady = self._clock.monotonic()
        if steady < self._held_until - _LEASE // 2:
            return True
        if steady < self._left_until:
            return False
        now = self._clock.now()
        held = await self._db.write(lambda c: self._leases.take(c, "relay", self._holder, now, now + _LEASE))
        self._held_until = steady + _LEASE if held else 0
        self._left_until = 0 if held else steady + _LEASE // 4
        return held

    async def _publish(self, rows: list[StoredEvent], view: StreamView) -> None:
        began = perf_counter()
        spans = [span_of(row.event) for row in rows]
        messages = [message_of(row, self._source, span) for row, span in zip(rows, spans, strict=True)]
        try:
            outcomes = await self._publisher.publish(messages)
        finally:
            for span in spans:
                if span is not None:
                    span.end()
            DURATION.observe(perf_counter() - began)
        answers = {row.row: outcome for row, outcome in zip(rows, outcomes, strict=True)}
        acks = {row: answer for row, answer in answers.items() if isinstance(answer, Ack)}
        refused = {row: answer for row, answer in answers.items() if isinstance(answer, Refused)}
        self._doubt(list(acks.values()))
        # By the broker's clock, which also says when it lets go of a message.
        at = view.at + self._clock.monotonic() - self._looked
        now = self._clock.now()

        def mark(connection: Connection) -> bool:
            # Who has the lease now may have repaired a loss meanwhile; what we were told before that is worth nothing.
            if not self._leases.keep(connection, "relay", self._holder):
                return False
            self._outbox.mark_published(connection, {row: ack.seq for row, ack in acks.items()}, at)
            for row in refused:
                self._outbox.set_aside(connection, row, now)
            return True

        if (acks or refused) and not await self._db.write(mark):
            log.info("the lease was lost while publishing; somebody else goes on", events=len(rows))
            self._held_until = 0
            return
        PUBLISHED.inc(len(acks))
        REFUSED.inc(len(refused))
        FAILED.inc(len(rows) - len(acks) - len(refused))
        for row in rows:
            if row.row in refused:
                log.error("event refused by the broker", event_id=row.event.id, type=row.event.type,
                          bytes=len(row.event.payload), cause=str(refused[row.row]))  # fmt: skip
        for outcome in outcomes:
            if isinstance(outcome, Unavailable):
                self._suspicious = self._due = True
                raise outcome

    def _doubt(self, acks: list[Ack]) -> None:
        """A number that was passed already, or a copy that the stream may remember and no longer have."""
        fresh = [ack.seq for ack in acks if not ack.duplicate]
        if len(fresh) < len(acks) or (fresh and min(fresh) <= self._newest):
            self._suspicious = self._due = True
        self._newest = max(fresh, default=self._newest)

    async def _look(self) -> StreamView:
        connections = self._bus.connections
        if connections != self._connections:
            self._suspicious = self._due = True
        view = self._view
        if view is not None and not self._due and self._clock.monotonic() - self._looked < self._check:
            return view
        look = await self._stream.look(suspicious=self._suspicious)
        if look.loss is not None:
            look = await self._recover(look, look.loss)
        steady = self._clock.monotonic()
        if look.loss is None:
            await self._record(look, steady)
            self._suspicious = False
        self._newest = look.complete
        self._view, self._looked, self._due, self._connections = look.view, steady, False, connections
        return look.view

    async def _record(self, look: Look, steady: int) -> None:
        if look.known and (look.recorded == look.complete or steady >= self._held_until):
            return
        created, complete = look.view.created, look.complete
        await self._db.write(lambda c: self._outbox.set_stream_mark(c, EVENTS_STREAM, created, complete))

    async def _recover(self, look: Look, loss: Loss) -> Look:
        """Have published again what was lost, unless another relay of this database is at it."""
        if not await self._hold():
            return look
        # A server that has only just begun to lead may not have caught up with what is there.
        await asyncio.sleep(_SETTLE)
        look = await self._stream.look(suspicious=True)
        if look.loss is None:
            return look
        loss = look.loss
        log.warning("the stream lost messages; publishing again", loss=loss.reason)
        if loss.set_back:
            await forget_positions(self._bus.jetstream())
        count = await self._again(loss)
        REPUBLISHED.inc(count)
        log.warning("taken up for publishing again", loss=loss.reason, events=count)
        created, last = look.view.created, look.view.last_seq
        await self._db.write(lambda c: self._outbox.set_stream_mark(c, EVENTS_STREAM, created, last))
        return await self._stream.look(suspicious=True)

    async def _again(self, loss: Loss) -> int:
        if loss.rows is not None:
            rows = loss.rows
            parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
            return sum([await self._db.write(partial(self._outbox.republish_rows, rows=part)) for part in parts])
        total, row = 0, 0
        last: int | None = 0
        while last is not None:
            row = last
            count, last = await self._db.write(partial(self._outbox.republish_after, row=row, limit=_CHUNK))
            total += count
            await self._hold()
        return total

    async def _tidy(self, view: StreamView) -> None:
        """Delete what the retention is over for, a part at a time, and try again what was refused."""
        steady = self._clock.monotonic()
        if steady - self._pruned < self._prune:
            return
        before = self._clock.now() - self._retention
        # The wall clock may be wrong: what the stream still has is kept, unless it keeps for longer than asked.
        released = view.first_seq if 0 < view.max_age <= self._retention else None
        await self._db.write(self._outbox.take_up)
        count = await self._db.write(lambda c: self._outbox.prune(c, before, released, _CHUNK))
        if count < _CHUNK:
            self._pruned = steady
