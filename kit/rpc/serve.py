"""Serving: health, reflection, and an orderly end on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

import grpc
import structlog
import uvloop
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

from kit import starting
from kit.rpc.channels import MOST_RECEIVED
from kit.rpc.health import PATIENT_OPTIONS, CannotListen, Health, HealthServer, listen_on
from kit.rpc.pipeline import Pipeline
from kit.rpc.tls import TlsFiles
from kit.settings import BadSettings
from kit.tasks import end

log = structlog.get_logger("serve")

SERVER_OPTIONS: list[tuple[str, Any]] = [
    *PATIENT_OPTIONS,
    # A caller that vanished without a word holds nothing for longer than this.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.max_connection_age_ms", 300_000),
    # What is under way may end: longer than an event stream or an upload can last at the gateway.
    ("grpc.max_connection_age_grace_ms", 3_900_000),
    # A session may be created with 1 MiB of inline rows, in JSON; its protobuf form takes up to six times as much.
    ("grpc.max_receive_message_length", MOST_RECEIVED),
    # A stream that sends faster than it is read waits at its sender: a window that grows with the line's speed would
    # hold megabytes of each upload in memory here.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 256 * 1024),
    # A worker's grant names every input of its session: a thousand documents come to 55 KiB.
    ("grpc.max_metadata_size", 128 * 1024),
    ("grpc.absolute_max_metadata_size", 128 * 1024),
]


class Part(Protocol):
    """Something that runs beside the server and ends when it is cancelled: a relay, a consumer, a sweeper."""

    async def run(self) -> None: ...


class GrpcServer:
    """One process's server, and the plain-text one beside it that only tells its health."""

    def __init__(
        self,
        listen: str,
        pipeline: Pipeline,
        services: Sequence[tuple[ServiceDescriptor, object]],
        *,
        tls: TlsFiles | None = None,
        health_listen: str = "",
    ) -> None:
        """With `tls`, callers must show a certificate. Raises CannotListen."""
        self._server = grpc.aio.server(options=SERVER_OPTIONS)
        names = [descriptor.full_name for descriptor, _ in services]
        self._health = Health(names)
        self._server.add_generic_rpc_handlers(tuple(pipeline.handler(d, s) for d, s in services))
        self._health.add_to(self._server)
        reflected = [
            *names,
            health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
            reflection.SERVICE_NAME,
        ]
        reflection.enable_server_reflection(reflected, self._server)
        self.port = listen_on(self._server, listen, tls)
        self._probes = HealthServer(health_listen, self._health) if health_listen else None

    @property
    def health_port(self) -> int:
        """Of the plain-text server; 0 without one."""
        return self._probes.port if self._probes is not None else 0

    async def start(self) -> None:
        await self._health.begin()
        if self._probes is not None:
            await self._probes.start()
        await self._server.start()

    async def set_serving(self, serving: bool) -> None:
        await self._health.set_serving(serving)

    async def stop(self, grace: float) -> None:
        """No new calls; those under way have `grace` seconds. Meanwhile probes are still answered."""
        await self.set_serving(False)
        await self._server.stop(grace)
        if self._probes is not None:
            await self._probes.stop()


async def run_until_signalled(
    server: GrpcServer,
    *,
    parts: Sequence[Part],
    drain: float,
    before_serving: Callable[[], Awaitable[None]] | None = None,
    ending: Callable[[], None] | None = None,
    close: Callable[[], Awaitable[None]],
) -> None:
    """Serve until SIGTERM or SIGINT, then drain within `drain` seconds.

    A part that dies takes the process down: what supervises it starts it again.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    tasks = [asyncio.create_task(part.run(), name=type(part).__name__) for part in parts]
    if before_serving is not None:
        await before_serving()
    await server.set_serving(True)
    log.info("serving", port=server.port)
    waiter = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
    died = [task for task in done if task is not waiter]
    log.info("stopping", died=[task.get_name() for task in died])
    if ending is not None:
        ending()
    await server.stop(drain)
    await end([waiter, *tasks])
    await close()
    for task in died:
        task.result()
        raise RuntimeError(f"{task.get_name()} ended by itself")


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a process's main coroutine on uvloop. What it was told wrongly ends it with status 2 and one clear line."""
    starting.begun()
    try:
        uvloop.run(main)
    except (BadSettings, CannotListen) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
