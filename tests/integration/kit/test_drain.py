"""A service that is asked to end: not ready first, no new calls, those under way to their end, then the rest."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kit.errors import Unavailable
from kit.ids import RandomIds
from kit.rpc.channels import open_channel
from kit.rpc.client import NoConnection
from kit.rpc.serve import GrpcServer, run_until_signalled
from kit.times import SystemClock
from prsm.collab.v1 import access_pb2, access_pb2_grpc
from tests.support.serving import Identities

ACCESS = access_pb2.DESCRIPTOR.services_by_name["AccessService"]


class Access:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def CheckAccess(self, request: Any, call: Any) -> access_pb2.CheckAccessResponse:
        self.begun.set()
        await self.go_on.wait()
        return access_pb2.CheckAccessResponse()

    async def _other(self, request: Any, call: Any) -> Any:
        raise AssertionError

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._other


class Beside:
    """A part that runs until it is ended."""

    def __init__(self, said: list[str]) -> None:
        self._said = said

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self._said.append("part ended")


@functools.cache
def _identities(folder: Path) -> Identities:
    return Identities(folder, SystemClock(), ["collab", "session"])


class Process:
    """A service as `serve` runs it, in this process."""

    def __init__(self, folder: Path, drain: float, port: int = 0) -> None:
        self.folder = folder
        clock = SystemClock()
        identities = _identities(folder)
        pipeline = identities.pipeline("collab", store=None, ids=RandomIds(clock))
        self.access, self.said = Access(), list[str]()
        self.server = GrpcServer(f"127.0.0.1:{port}", pipeline, [(ACCESS, self.access)], health_listen="127.0.0.1:0")
        self.channel = open_channel(f"127.0.0.1:{self.server.port}")
        self.probes = open_channel(f"127.0.0.1:{self.server.health_port}")
        self.peer = identities.peer("session", "collab")
        self.running = asyncio.create_task(
            run_until_signalled(
                self.server,
                parts=[Beside(self.said)],
                drain=drain,
                ending=lambda: self.said.append("ending"),
                close=self._close,
            )
        )

    async def end(self) -> None:
        if not self.running.done():
            os.kill(os.getpid(), signal.SIGTERM)
            await self.running
        await self.channel.close()
        await self.probes.close()

    async def _close(self) -> None:
        self.said.append("closed")

    async def call(self, channel: grpc.aio.Channel | None = None, timeout: float = 20) -> Any:
        stub: Any = access_pb2_grpc.AccessServiceStub(channel or self.channel)
        request = access_pb2.CheckAccessRequest(session_id="s", principal=access_pb2.Principal(user_id="u"))
        return await self.peer.call(stub.CheckAccess, request, timeout=timeout)

    async def is_serving(self) -> bool:
        stub: Any = health_pb2_grpc.HealthStub(self.probes)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60, wait_for_ready=True)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[[float], Process]]:
    made: list[Process] = []

    def begin(drain: float) -> Process:
        made.append(Process(tmp_path, drain))
        return made[-1]

    yield begin
    for process in made:
        await process.end()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


async def test_a_call_under_way_is_answered_and_no_other_is_taken(start: Callable[[float], Process]) -> None:
    process = start(20)
    while not await process.is_serving():
        pass
    under_way = asyncio.create_task(process.call())
    await process.access.begun.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    while await process.is_serving():
        pass
    assert process.said == ["ending"]
    async with open_channel(f"127.0.0.1:{process.server.port}") as fresh:
        with pytest.raises(NoConnection):
            await process.call(fresh, timeout=0.2)
    assert not under_way.done()
    process.access.go_on.set()
    assert await under_way == access_pb2.CheckAccessResponse()
    await process.running
    assert process.said == ["ending", "part ended", "closed"]


async def test_a_call_that_does_not_end_is_given_up_in_time(start: Callable[[float], Process]) -> None:
    process = start(0.05)
    while not await process.is_serving():
        pass
    under_way = asyncio.create_task(process.call())
    await process.access.begun.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(Unavailable):
        await under_way
    await process.running
    assert process.said == ["ending", "part ended", "closed"]


async def test_a_call_waits_for_a_process_that_starts_again(start: Callable[[float], Process]) -> None:
    first = start(1)
    while not await first.is_serving():
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    await first.running
    with pytest.raises(NoConnection):
        await first.call(timeout=0.2)
    waiting = asyncio.create_task(first.call())
    second = Process(first.folder, 1, port=first.server.port)
    second.access.go_on.set()
    assert await waiting == access_pb2.CheckAccessResponse()
    await second.end()
