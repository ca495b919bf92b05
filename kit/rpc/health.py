"""The standard health service: whether a process is ready for calls, and whether it lives at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from kit.rpc.tls import TlsFiles, server_credentials

LIVENESS = "liveness"
"""SERVING as long as the event loop answers, drain or not: who is asked to end, or waits for a database, must not be
killed for it."""


PATIENT_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.so_reuseport", 0),
    # Callers find out within seconds whether a server is still there: as many pings as they like.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
    ("grpc.http2.max_ping_strikes", 0),
]
"""What every server has."""


class CannotListen(Exception):
    """The address is taken or not ours; the message says which."""


def listen_on(server: grpc.aio.Server, address: str, tls: TlsFiles | None) -> int:
    """Let the server listen on `host:port`, and return the port. Raises CannotListen."""
    try:
        if tls is None:
            return int(server.add_insecure_port(address))
        return int(server.add_secure_port(address, server_credentials(tls)))
    except RuntimeError as error:
        raise CannotListen(f"cannot listen on {address}") from error


class Health:
    """A process's state, for any number of servers. Not ready until told so."""

    def __init__(self, services: Iterable[str] = ()) -> None:
        self._servicer = HealthServicer()
        self._names = ("", *services)

    def add_to(self, server: grpc.aio.Server) -> None:
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def begin(self) -> None:
        """Alive and not ready yet; to be called before anybody can ask."""
        await self._servicer.set(LIVENESS, health_pb2.HealthCheckResponse.SERVING)
        await self.set_serving(False)

    async def set_serving(self, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in self._names:
            await self._servicer.set(name, status)


class HealthServer:
    """A server of nothing but the health service."""

    def __init__(self, listen: str, health: Health, *, tls: TlsFiles | None = None) -> None:
        """Raises CannotListen."""
        self._server = grpc.aio.server(options=PATIENT_OPTIONS)
        health.add_to(self._server)
        self.port = listen_on(self._server, listen, tls)

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(0)
