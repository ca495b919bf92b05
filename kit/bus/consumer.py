"""A durable consumer of events: each message is handled, then acknowledged; a failure is delivered again, later and
later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter, time

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from kit.bus.connection import Bus, backoff, keep_trying
from kit.bus.durables import durable as durable_config
from kit.bus.names import EVENTS_STREAM
from kit.bus.patience import Patience
from kit.tasks import end
from kit.telemetry import metrics, tracing
from kit.telemetry.metrics import SLOW, Counter, Gauge, Histogram
from kit.telemetry.scope import TRACEPARENT, Scope, TraceContext
from kit.telemetry.tracing import Kind

log = structlog.get_logger("consumer")
_BATCH = 64
_LAG_EVERY = 5.0
_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
EVENTS = Counter("prsm_consumer_events_total", "Events taken from the stream.", ["consumer", "outcome"])
DURATION = Histogram("prsm_consumer_event_duration_seconds", "Handling of one event.", ["consumer"])
AGE = Histogram(
    "prsm_consumer_event_age_seconds", "How old events are once they are handled.", ["consumer"], bounds=SLOW
)
REDELIVERIES = Counter("prsm_consumer_redeliveries_total", "Events that came once more.", ["consumer"])
LAG = Gauge("prsm_consumer_lag_events", "Events in the stream that were not delivered yet.", ["consumer"])
UNACKNOWLEDGED = Gauge("prsm_consumer_unacknowledged_events", "Events delivered and not done with.", ["consumer"])
_OUTCOMES = ("handled", "failed", "undecodable")


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it came: CloudEvents attributes and the protobuf payload."""

    id: str
    type: str
    source: str
    key: str
    payload: bytes


Handler = Callable[[Received], Awaitable[None]]


class Consumer:
    """Run it as a task; it recreates its durable when that is gone, and starts from the beginning then."""

    def __init__(
        self,
        bus: Bus,
        *,
        durable: str,
        subjects: Sequence[str],
        handler: Handler,
        wait: float = 5.0,
        of_sessions: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """`wait` is how long, in seconds, a fetch stays open when there is nothing. `of_sessions`: the events' keys are
        ids of sessions. `patience` with events that cannot be handled; by default the usual one."""
        self._of_sessions = of_sessions
        self._bus = bus
        self._durable = durable
        self._subjects = list(subjects)
        self._handler = handler
        self._wait = wait
        self._patience = patience or Patience()
        self._fruitless = 0
        EVENTS.prepare((durable,), _OUTCOMES)
        REDELIVERIES.prepare((durable,))
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def run(self) -> None:
        measuring = asyncio.create_task(self._measure()) if metrics.is_bound() else None
        try:
            await keep_trying(f"consumer {self._durable}", self._step)
        finally:
            if measuring is not None:
                await end([measuring])

    async def _measure(self) -> None:
        while True:
            try:
                info = await self._bus.jetstream().consumer_info(EVENTS_STREAM, self._durable)
            except Exception:
                # Without an answer nothing is known; the log says elsewhere that the broker is away.
                LAG.drop(self._durable)
                UNACKNOWLEDGED.drop(self._durable)
            else:
                LAG.labels(self._durable).set(info.num_pending or 0)
                UNACKNOWLEDGED.labels(self._durable).set(info.num_ack_pending or 0)
            await asyncio.sleep(_LAG_EVERY)

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        await self._bus.ready()
        await self._bus.ensure_streams()
        js = self._bus.jetstream()
        # Creates it, or brings one that is there to these subjects.
        await js.add_consumer(EVENTS_STREAM, durable_config(self._durable, self._subjects))
        return await js.pull_subscribe_bind(durable=self._durable, stream=EVENTS_STREAM)

    async def _step(self) -> None:
        if self._subscription is None:
            self._subscription = await self._subscribe()
        try:
            messages = await self._subscription.fetch(_BATCH, timeout=self._wait)
        except TimeoutError:  # nats raises its own, which is one, and sometimes the plain one
            # Nothing came; a consumer that is gone shows itself here.
            try:
                await self._bus.jetstream().consumer_info(EVENTS_STREAM, self._durable)
            except NotFoundError:
                self._subscription = None
            return
        except Exception:
            self._subscription = None
            raise
        # Different sessions may be handled at the same time; the versions keep each one's order right.
        outcomes = await asyncio.gather(*(self._handle(message) for message in messages))
        if "failed" in outcomes and "handled" not in outcomes:
            # Where nothing can be handled, taking more would only have it wait elsewhere.
            self._fruitless += 1
            await asyncio.sleep(backoff(self._fruitless, _PAUSE, _LONGEST_PAUSE))
        elif "handled" in outcomes:
            self._fruitless = 0

    async def _handle(self, message: Msg) -> str:
        headers = message.headers or {}
        received = Received(
            id=headers.get("ce-id", ""),
            type=headers.get("ce-type", ""),
            source=headers.get("ce-source", ""),
            key=headers.get("ce-subject", ""),
            payload=message.data,
        )
        if message.metadata.num_delivered > 1:
            REDELIVERIES.labels(self._durable).inc()
        scope = Scope("", self._session(received), TraceContext.parse(headers.get(TRACEPARENT, "")))
        with tracing.working(f"consume {received.type}", Kind.CONSUMER, scope, self._attributes(received)) as span:
            outcome = await self._handled(received)
            if span is not None and outcome != "handled":
                span.fail(outcome)
            if outcome == "handled":
                AGE.labels(self._durable).observe(max(time() - message.metadata.timestamp.timestamp(), 0.0))
                await message.ack()
            else:
                await message.nak(delay=self._patience.delay(outcome, message.metadata.num_delivered))
        return outcome

    async def _handled(self, received: Received) -> str:
        """The outcome. What cannot be decoded is kept and comes again: a newer release may know it."""
        began = perf_counter()
        outcome = "handled"
        try:
            await self._handler(received)
        except DecodeError as error:
            outcome = "undecodable"
            if self._patience.is_news(received.id):
                log.error("event not decodable", consumer=self._durable, event_id=received.id, cause=repr(error))
        except Exception as error:
            outcome = "failed"
            log.warning("event not handled yet", consumer=self._durable, event_id=received.id, cause=repr(error))
        EVENTS.labels(self._durable, outcome).inc()
        DURATION.labels(self._durable).observe(perf_counter() - began)
        return outcome

    def _session(self, received: Received) -> str:
        return received.key if self._of_sessions else ""

    def _attributes(self, received: Received) -> dict[str, str]:
        return {
            "messaging.system": "nats",
            "messaging.consumer.group.name": self._durable,
            "messaging.message.id": received.id,
            "prsm.event_key": received.key,
        }
