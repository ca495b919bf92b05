"""The relay: one per database, by a leased row, publishes the outbox in order and in batches with acks.

A stream that was recreated or lost messages is noticed by its creation time and last sequence number; then all events
of the retention window are published again. Consumers apply only what is news to them, so that changes nothing else.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

import structlog
from nats.js.api import PubAck
from sqlalchemy import Connection

from kit.bus.connection import Bus, keep_trying
from kit.bus.names import EVENTS_STREAM
from kit.db.database import Database
from kit.db.leases import Leases
from kit.db.outbox import Event, Outbox, StoredEvent
from kit.errors import Unavailable
from kit.ids import Ids
from kit.telemetry import tracing
from kit.telemetry.metrics import Counter, Histogram
from kit.telemetry.scope import TRACEPARENT, TraceContext
from kit.telemetry.tracing import Kind, Span
from kit.times import DAY, HOUR, SECOND, Clock, rfc3339

log = structlog.get_logger("relay")
PUBLISHED = Counter("prsm_relay_published_events_total", "Events that the stream acknowledged.")
FAILED = Counter("prsm_relay_failed_events_total", "Events that were sent and not acknowledged in time.")
REPUBLISHED = Counter("prsm_relay_republished_events_total", "Events published again because the stream lost some.")
DURATION = Histogram("prsm_relay_publish_duration_seconds", "Publishing of one batch, acknowledgements included.")
for _counter in (PUBLISHED, FAILED, REPUBLISHED):
    _counter.prepare()
_BATCH = 256
_GATHER = 0.02
_ACKS = 5.0
_STALL = 5.0
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
        events beyond the retention are deleted, in microseconds; `source` is the CloudEvents source."""
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
        self._check = check
        self._stream_checked = -check
        self._prune = prune
        self._pruned = clock.now()
        self._mark: tuple[str, int] | None = None
        self._held_until = 0
        db.on_commit(self._awake.set)

    async def run(self) -> None:
        try:
            await keep_trying("relay", self._step)
        finally:
            await asyncio.shield(self._db.write(lambda c: self._leases.give_back(c, "relay", self._holder)))

    async def _step(self) -> None:
        await self._bus.ready()
        self._awake.clear()
        now = self._clock.now()
        await self._check_stream(now)
        rows = await self._db.read(lambda c: self._outbox.unpublished(c, _BATCH))
        if rows and await self._hold(now):
            await self._publish(rows)
        if now - self._pruned > self._prune:
            self._pruned = now
            await self._db.write(lambda c: self._outbox.prune(c, now - self._retention))
        if len(rows) < _BATCH:
            try:
                await asyncio.wait_for(self._awake.wait(), self._poll)
                # What is committed within the next moment travels in the same batch.
                await asyncio.sleep(_GATHER)
            except TimeoutError:
                pass

    async def _hold(self, now: int) -> bool:
        # Half of the lease is margin enough; extending it with every batch would cost a commit each time.
        if now < self._held_until - _LEASE // 2:
            return True
        held = await self._db.write(lambda c: self._leases.take(c, "relay", self._holder, now, now + _LEASE))
        self._held_until = now + _LEASE if held else 0
        return held

    async def _publish(self, rows: list[StoredEvent]) -> None:
        js = self._bus.jetstream()
        acks: list[asyncio.Future[PubAck]] = []
        began = perf_counter()
        spans = [_span(row.event) for row in rows]
        try:
            # One time limit for all: with one for each, every event would leave in a packet of its own.
            async with asyncio.timeout(_STALL):
                # Sent in order on one connection, so the stream keeps that order; the acks are awaited together.
                for row, span in zip(rows, spans, strict=True):
                    event = row.event
                    headers = self._headers(event, span)
                    acks.append(await js.publish_async(event.subject, event.payload, headers=headers))
            await asyncio.wait(acks, timeout=_ACKS)
        finally:
            # The late ones; the client counts them as pending until they end.
            for ack in acks:
                ack.cancel()
            for span in spans:
                if span is not None:
                    span.end()
            DURATION.observe(perf_counter() - began)
        outcomes = [_outcome(ack) for ack in acks]
        done = [row.row for row, outcome in zip(rows, outcomes, strict=True) if isinstance(outcome, int)]
        last = max((outcome for outcome in outcomes if isinstance(outcome, int)), default=0)
        now = self._clock.now()

        def mark(connection: Connection) -> None:
            self._outbox.mark_published(connection, done, now)
            if self._mark is not None and last > self._mark[1]:
                self._mark = (self._mark[0], last)
                self._outbox.set_stream_mark(connection, EVENTS_STREAM, *self._mark)

        if done:
            await self._db.write(mark)
        PUBLISHED.inc(len(done))
        FAILED.inc(len(rows) - len(done))
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _headers(self, event: Event, span: Span | None) -> dict[str, str]:
        traceparent = event.traceparent if span is None else span.context.traceparent
        trace = {TRACEPARENT: traceparent} if traceparent else {}
        return {
            **trace,
            "Nats-Msg-Id": event.id,
            "ce-specversion": "1.0",
            "ce-id": event.id,
            "ce-type": event.type,
            "ce-source": self._source,
            "ce-subject": event.key,
            "ce-time": rfc3339(event.created_at),
            "content-type": "application/protobuf",
        }

    async def _check_stream(self, now: int) -> None:
        if now - self._stream_checked < self._check:
            return
        await self._bus.ensure_streams()
        # First what is on record: another relay may publish between the two, which must not look like a loss.
        known = await self._db.read(lambda c: self._outbox.stream_mark(c, EVENTS_STREAM))
        info = await self._bus.stream_info(EVENTS_STREAM)
        created, last = str(info.created), int(info.state.last_seq)
        lost = known is not None and (known[0] != created or last < known[1])

        def record(connection: Connection) -> int:
            count = self._outbox.republish_since(connection, now - self._retention) if lost else 0
            self._outbox.set_stream_mark(connection, EVENTS_STREAM, created, last)
            return count

        if known is None or lost:
            again = await self._db.write(record)
            if lost:
                REPUBLISHED.inc(again)
                log.warning("the stream lost messages; publishing again", events=again)
        self._mark = (created, last)
        self._stream_checked = now


def _span(event: Event) -> Span | None:
    parent = TraceContext.parse(event.traceparent)
    if parent is None:
        return None
    attributes = {"messaging.system": "nats", "messaging.message.id": event.id, "prsm.event_key": event.key}
    return tracing.start(f"publish {event.type}", Kind.PRODUCER, parent, attributes)


def _outcome(ack: asyncio.Future[PubAck]) -> int | BaseException:
    """The sequence number that the stream gave, or why there is none."""
    if ack.cancelled():
        return Unavailable("The message broker did not acknowledge in time")
    return ack.exception() or int(ack.result().seq)
