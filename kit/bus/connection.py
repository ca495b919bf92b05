"""The connection to NATS: reconnects for ever, and makes sure that the streams are there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import nats
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError

from kit.bus.names import EVENTS_STREAM, EVENTS_SUBJECTS, JOBS_STREAM, JOBS_SUBJECTS
from kit.errors import Unavailable
from kit.tasks import end

log = structlog.get_logger("bus")


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
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._js: JetStreamContext | None = None

    @property
    def client(self) -> Client:
        return self._client

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    def jetstream(self) -> JetStreamContext:
        """Raises Unavailable while there is no connection."""
        if not self._client.is_connected:
            raise Unavailable("The message broker is not available")
        if self._js is None:
            # One for the whole life: it holds the subscription on which acks come back.
            self._js = self._client.jetstream(timeout=5)
        return self._js

    async def stream_info(self, stream: str) -> StreamInfo:
        """Raises Unavailable while there is no connection, NotFoundError without such a stream."""
        return await self.jetstream().stream_info(stream)

    def start(self) -> None:
        self._task = asyncio.create_task(self._connect(), name="bus-connect")

    async def ready(self) -> None:
        """Wait until connected for the first time."""
        await self._connected.wait()

    async def close(self) -> None:
        if self._task is not None:
            await end([self._task])
        if not self._client.is_closed:
            try:
                await asyncio.wait_for(self._client.close(), 2)
            except Exception as error:
                log.warning("closing the connection failed", cause=repr(error))

    async def _connect(self) -> None:
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
                )
                self._connected.set()
                return
            except (OSError, nats.errors.Error, TimeoutError) as error:
                log.warning("no connection to the broker yet", cause=repr(error))
                await asyncio.sleep(0.25)

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
                duplicate_window=120,
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


async def keep_trying(name: str, step: Callable[[], Awaitable[None]], *, pause: float = 0.5) -> None:
    """Run `step` again and again; a failure is logged and followed by a pause of up to 10 times `pause` seconds."""
    failures = 0
    while True:
        try:
            await step()
            failures = 0
        except asyncio.CancelledError:
            raise
        except Exception as error:
            failures = min(failures + 1, 10)
            log.warning("retrying", task=name, cause=repr(error))
            await asyncio.sleep(pause * failures)
