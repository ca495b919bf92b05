"""A durable consumer of events: each message is handled, then acknowledged; a failure is delivered again later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from kit.bus.connection import Bus, keep_trying
from kit.bus.names import EVENTS_STREAM

log = structlog.get_logger("consumer")
_BATCH = 64


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
    """Run it as a task; it recreates its durable when the stream was recreated, and starts from the beginning then."""

    def __init__(self, bus: Bus, *, durable: str, subjects: Sequence[str], handler: Handler, wait: float = 5.0) -> None:
        """`wait` is how long, in seconds, a fetch stays open when there is nothing."""
        self._bus = bus
        self._durable = durable
        self._subjects = list(subjects)
        self._handler = handler
        self._wait = wait
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def run(self) -> None:
        await keep_trying(f"consumer {self._durable}", self._step)

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        await self._bus.ready()
        await self._bus.ensure_streams()
        js = self._bus.jetstream()
        config = ConsumerConfig(
            durable_name=self._durable,
            filter_subjects=self._subjects,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=30,
            max_ack_pending=1024,
        )
        # Creates it, or brings one that is there to these subjects.
        await js.add_consumer(EVENTS_STREAM, config)
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
        await asyncio.gather(*(self._handle(message) for message in messages))

    async def _handle(self, message: Msg) -> None:
        headers = message.headers or {}
        received = Received(
            id=headers.get("ce-id", ""),
            type=headers.get("ce-type", ""),
            source=headers.get("ce-source", ""),
            key=headers.get("ce-subject", ""),
            payload=message.data,
        )
        try:
            await self._handler(received)
        except Exception as error:
            log.warning("event not handled yet", consumer=self._durable, event_id=received.id, cause=repr(error))
            await message.nak(delay=1)
        else:
            await message.ack()
