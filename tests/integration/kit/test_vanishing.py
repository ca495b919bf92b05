"""A replica that falls silent without closing its connections, as a host does whose link is cut."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kit.errors import DeadlineExceeded, Unavailable
from kit.rpc.channels import open_channel
from kit.rpc.client import Peer
from tests.support.beside import beside_each_other

_PROGRAM = """
import asyncio
import sys
from kit.rpc.health import Health, HealthServer

async def main():
    health = Health([sys.argv[1]])
    server = HealthServer("127.0.0.1:0", health)
    await health.begin()
    await health.set_serving(True)
    await server.start()
    print(server.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
_CHECK = ("grpc.health.v1.Health", "Check")
_LONG = 60.0
"""Seconds: without keepalive a call to the silent replica would wait for all of them."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A server in a process of its own."""

    name: str
    """Of a service that it alone has, so that one sees who answered."""
    port: int
    process: asyncio.subprocess.Process


@asynccontextmanager
async def replica(name: str) -> AsyncIterator[Replica]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, name, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        yield Replica(name, int(await process.stdout.readline()), process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest_asyncio.fixture
async def replicas() -> AsyncIterator[list[Replica]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(replica(name)) for name in ("first", "second")]


async def outcome(channel: grpc.aio.Channel, service: str = "") -> str:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    try:
        await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=_LONG)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "answered"


def target_of(replicas: list[Replica]) -> str:
    return "ipv4:" + ",".join(f"127.0.0.1:{replica.port}" for replica in replicas)


async def in_use(channel: grpc.aio.Channel, replicas: list[Replica]) -> None:
    """Wait until calls go to both: round robin takes each once it is connected."""
    async with asyncio.timeout(_LONG):
        for each in replicas:
            while await outcome(channel, each.name) != "answered":
                pass


async def reads_go_to_the_other_replica_and_none_fails(replicas: list[Replica]) -> None:
    async with open_channel(target_of(replicas), reads=[_CHECK]) as channel:
        await in_use(channel, replicas)
        replicas[0].process.send_signal(signal.SIGSTOP)
        assert [await outcome(channel) for _ in range(10)] == ["answered"] * 10


async def other_calls_fail_at_once_as_unavailable_and_later_ones_succeed(replicas: list[Replica]) -> None:
    async with open_channel(target_of(replicas)) as channel:
        await in_use(channel, replicas)
        replicas[0].process.send_signal(signal.SIGSTOP)
        # Half of them go to the silent one.
        found = await asyncio.gather(*(outcome(channel) for _ in range(10)))
        assert set(found) == {"answered", "UNAVAILABLE"}
        # The channel leaves the silent one out once it has seen that connection end.
        async with asyncio.timeout(_LONG):
            while await outcome(channel) != "answered":
                pass
        assert [await outcome(channel) for _ in range(10)] == ["answered"] * 10


async def a_replica_that_is_back_is_used_again(replicas: list[Replica]) -> None:
    async with open_channel(target_of(replicas), reads=[_CHECK]) as channel:
        await in_use(channel, replicas)
        replicas[0].process.send_signal(signal.SIGSTOP)
        assert [await outcome(channel) for _ in range(4)] == ["answered"] * 4
        replicas[0].process.send_signal(signal.SIGCONT)
        replicas[1].process.kill()
        await replicas[1].process.wait()
        assert [await outcome(channel) for _ in range(4)] == ["answered"] * 4


Scenario = Callable[[list[Replica]], Coroutine[None, None, None]]
SCENARIOS: tuple[Scenario, ...] = (
    reads_go_to_the_other_replica_and_none_fails,
    other_calls_fail_at_once_as_unavailable_and_later_ones_succeed,
    a_replica_that_is_back_is_used_again,
)
"""Each waits for keepalive to notice, 6 seconds."""


@pytest_asyncio.fixture(scope="module")
async def under_way() -> AsyncIterator[Mapping[Scenario, asyncio.Task[None]]]:
    """The scenarios, which wait side by side, with replicas of their own."""

    async def play(scenario: Scenario) -> None:
        async with replica("first") as first, replica("second") as second:
            await scenario([first, second])

    async with beside_each_other({scenario: play(scenario) for scenario in SCENARIOS}) as tasks:
        yield tasks


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_when_a_replica_falls_silent(
    scenario: Scenario, under_way: Mapping[Scenario, asyncio.Task[None]]
) -> None:
    await under_way[scenario]


class _Anybody:
    """Tokens for servers that ask for none."""

    def token(self, audience: str) -> str:
        return audience


async def test_a_read_with_a_deadline_too_short_to_notice_is_answered_by_the_other_replica(
    replicas: list[Replica],
) -> None:
    async with open_channel(target_of(replicas)) as channel:
        await in_use(channel, replicas)
        replicas[0].process.send_signal(signal.SIGSTOP)
        stub: Any = health_pb2_grpc.HealthStub(channel)
        peer = Peer("health", _Anybody())
        for _ in range(4):
            answer = await peer.read(stub.Check, health_pb2.HealthCheckRequest(), timeout=0.6)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_read_that_nobody_answers_is_unavailable_in_the_end(replicas: list[Replica]) -> None:
    async with open_channel(target_of(replicas)) as channel:
        await in_use(channel, replicas)
        for each in replicas:
            each.process.send_signal(signal.SIGSTOP)
        stub: Any = health_pb2_grpc.HealthStub(channel)
        with pytest.raises((DeadlineExceeded, Unavailable)):
            await Peer("health", _Anybody()).read(stub.Check, health_pb2.HealthCheckRequest(), timeout=0.1)
