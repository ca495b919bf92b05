"""Wake-ups from JetStream: one durable pull consumer for each engine, shared by all workers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from kit.bus.connection import Bus
from kit.bus.names import JOBS_STREAM, job_consumer, job_subject

log = structlog.get_logger("wakeups")
ACK_WAIT = 15.0
"""Seconds after which a message that nobody speaks for goes to another worker."""
_AGAIN = 1.0
_MOST_HELD = 100_000
"""Messages in hand at a time: one for each session that is being worked on."""
KEEP = ACK_WAIT / 3
"""How often, in seconds, to speak for one."""


class JobMessage:
    """A message of the job stream."""

    def __init__(self, engine: str, message: Msg) -> None:
        self.engine = engine
        self._message = message

    async def in_progress(self) -> None:
        await self._message.in_progress()

    async def done(self) -> None:
        await self._message.ack()

    async def give_back(self) -> None:
        await self._message.nak()


class JobWakeUps:
    """Listens for the given engines. For one listener at a time."""

    def __init__(self, bus: Bus, engines: Sequence[str]) -> None:
        self._bus = bus
        self._engines = engines
        self._subscriptions: dict[str, JetStreamContext.PullSubscription] = {}

    async def next(self, timeout: float) -> JobMessage | None:
        """Wait up to `timeout` seconds. Returns None when there was none, also while the broker is away."""
        try:
            await asyncio.wait_for(self._bus.ready(), timeout)
            await self._subscribe()
        except TimeoutError:
            return None
        except Exception as error:
            # The stream is made by the services; until it is there, and without a broker at all, polling does.
            log.info("no wake-ups yet", cause=repr(error))
            await asyncio.sleep(min(timeout, _AGAIN))
            return None
        fetches = [asyncio.create_task(self._fetch(engine, timeout)) for engine in self._engines]
        try:
            for finished in asyncio.as_completed(fetches):
                if await finished is not None:
                    break
        finally:
            for fetch in fetches:
                fetch.cancel()
            await asyncio.gather(*fetches, return_exceptions=True)
        return await _first_of([fetch.result() for fetch in fetches if not fetch.cancelled()])

    async def _fetch(self, engine: str, timeout: float) -> JobMessage | None:
        try:
            return JobMessage(engine, (await self._subscriptions[engine].fetch(1, timeout=timeout))[0])
        except TimeoutError:  # nats raises its own, which is one, and sometimes the plain one
            return None
        except Exception as error:
            # The consumer may be gone with a stream that was made anew.
            log.info("wake-ups broken off", engine=engine, cause=repr(error))
            self._subscriptions.pop(engine, None)
            await asyncio.sleep(min(timeout, _AGAIN))
            return None

    async def _subscribe(self) -> None:
        missing = [engine for engine in self._engines if engine not in self._subscriptions]
        if not missing:
            return
        js = self._bus.jetstream()
        for engine in missing:
            await add_consumer(js, engine)
            self._subscriptions[engine] = await js.pull_subscribe_bind(durable=job_consumer(engine), stream=JOBS_STREAM)


async def add_consumer(js: JetStreamContext, engine: str) -> None:
    """Make the consumer that the workers of an engine share; again with the same settings changes nothing. Raises
    NotFoundError without the stream."""
    config = ConsumerConfig(
        durable_name=job_consumer(engine),
        filter_subject=job_subject(engine),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_ack_pending=_MOST_HELD,
    )
    await js.add_consumer(JOBS_STREAM, config)


async def _first_of(found: Iterable[JobMessage | None]) -> JobMessage | None:
    """Keep one message; the others are for other workers."""
    messages = [message for message in found if message is not None]
    for message in messages[1:]:
        await message.give_back()
    return messages[0] if messages else None
