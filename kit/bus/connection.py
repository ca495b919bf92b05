"""The connection to NATS: reconnects for ever, and makes sure that the streams are there."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from kit.bus.names import EVENTS_STREAM, EVENTS_SUBJECTS, JOBS_STREAM, JOBS_SUBJECTS
from kit.bus.stream_view import StreamView, view
from kit.errors import Unavailable
from kit.tasks import end

log = structlog.get_logger("bus")
_PAUSE = 0.25
_LOOK = 1.0
"""How often, in seconds, to look whether the client still tries."""
_CLOSING = 2.0
_LONGEST = 10


class Bus:
    """A NATS connection with JetStream. `start` returns at once and connects in the background."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        token: str = "",
        tls: ssl.SSLContext | None = None,
        replicas: int = 1,
        retention: float = 7 * 86400,
    ) -> None:
        """`url` may be several, separated by commas; `tls` says which certificates do for tls://, the system's
        authorities if not given. `retention` is in seconds."""
        self._url = url
        self._name = name
        self._token = token
        self._tls = tls
        self._replicas = replicas
        self._retention = retention
        self._client = Client()
        self._clients = 0
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._js: JetStreamContext | None = None

    @property
    def client(self) -> Client:
        return self._client

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    @property
    def connections(self) -> int:
        """How many connections there were: what was known of the broker before the last one may no longer be so."""
        return self._clients + int(self._client.stats["reconnects"])

    def jetstream(self) -> JetStreamContext:
        """Raises Unavailable while there is no connection."""
        if not self._client.is_connected:
            raise Unavailable("The message broker is not available")
        if self._js is None:
            # One for the whole life: it holds the subscription on which acks come back.
            self._js = self._client.jetstream(timeout=5)
        return self._js

    async def look_at(self, stream: str) -> StreamView:
        """Raises Unavailable while there is no connection, NotFoundError without such a stream."""
        self.jetstream()
        return await view(self._client, stream)

    def start(self) -> None:
        self._task = asyncio.create_task(self._connect(), name="bus-connect")

    async def ready(self) -> None:
        """Wait until connected for the first time."""
        await self._connected.wait()

    async def close(self) -> None:
        if self._task is not None:
            await end([self._task])
        if not self._client.is_closed:
            await self._give_up()

    async def _connect(self) -> None:
        while True:
            closed = await self._connect_once()
            await self._lost(closed)
            log.warning("the connection to the broker is lost", cause=repr(self._client.last_error))
            await asyncio.sleep(_PAUSE)
            self._clients += 1 + int(self._client.stats["reconnects"])
            self._client, self._js = Client(), None

    async def _lost(self, closed: asyncio.Event) -> None:
        """Return when the client is of no use any more. It connects again by itself, save after what the server calls a
        violation, which it tells, and after an answer that it did not expect, which ends its trying without a word."""
        while not closed.is_set():
            try:
                async with asyncio.timeout(_LOOK):
                    await closed.wait()
            except TimeoutError:
                trying = self._client._reconnection_task
                if trying is not None and trying.done() and not self._client.is_connected:
                    cause = None if trying.cancelled() else trying.exception()
                    log.warning("the client has stopped trying", cause=repr(cause))
                    await self._give_up()
                    return

    async def _give_up(self) -> None:
        try:
            async with asyncio.timeout(_CLOSING):
                await self._client.close()
        except Exception as error:
            log.warning("closing the connection failed", cause=repr(error))

    async def _connect_once(self) -> asyncio.Event:
        closed = asyncio.Event()

        async def note_closed() -> None:
            closed.set()

        while True:
            try:
                await self._client.connect(
                    servers=[url.strip() for url in self._url.split(",")],
                    name=self._name,
                    token=self._token or None,
                    tls=self._tls,
                    connect_timeout=2,
                    reconnect_time_wait=0.25,  # type: ignore[arg-type]  # seconds, a float works
                    max_reconnect_attempts=-1,
                    # A server that is silent for nine seconds is left for another one of the cluster.
                    ping_interval=3,
                    max_outstanding_pings=2,
                    allow_reconnect=True,
                    error_cb=_quiet,
                    closed_cb=note_closed,
                )
                self._connected.set()
                return closed
            except Exception as error:
                # The client lets other errors out than its own, and nobody but us would ever try again.
                log.warning("no connection to the broker yet", cause=repr(error))
                await asyncio.sleep(_PAUSE)

    async def ensure_streams(self) -> None:
        """Create what is missing; leave alone what is there."""
        js = self.jetstream()
        wanted = (
            StreamConfig(
                name=EVENTS_STREAM,
                subjects=[EVENTS_SUBJECTS],
                storage=StorageType.FILE,
                num_replicas=self._replicas,
                max_age=self._retention,
                duplicate_window=min(120, self._retention),
                discard=DiscardPolicy.OLD,
            ),
            StreamConfig(
                name=JOBS_STREAM,
                subjects=[JOBS_SUBJECTS],
                storage=StorageType.FILE,
                num_replicas=self._replicas,
                retention=RetentionPolicy.WORK_QUEUE,
                duplicate_window=1,
                max_msgs_per_subject=100_000,
                discard=DiscardPolicy.OLD,
            ),
        )
        for config in wanted:
            try:
                await js.stream_info(str(config.name))
            except NotFoundError:
                await js.add_stream(config)


async def _quiet(error: Exception) -> None:
    log.warning("broker connection", cause=repr(error))


def backoff(failures: int, first: float, longest: float, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures on end: twice as long each time up to `longest`, less up to a half by
    `chance`, a number from 0 to 1, so that those who failed together do not come back together."""
    whole = min(first * 2.0 ** min(failures - 1, 32), longest)
    return whole * (1 - chance() / 2)


async def keep_trying(
    name: str,
    step: Callable[[], Awaitable[None]],
    *,
    pause: float = 0.5,
    chance: Callable[[], float] = random.random,
) -> None:
    """Run `step` again and again; a failure is logged and followed by a pause of up to 10 times `pause` seconds."""
    failures = 0
    while True:
        try:
            await step()
            failures = 0
        except asyncio.CancelledError:
            raise
        except Exception as error:
            failures += 1
            log.warning("retrying", task=name, cause=repr(error))
            await asyncio.sleep(backoff(failures, pause, pause * _LONGEST, chance))
