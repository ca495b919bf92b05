"""Requests that wait for a service to be there."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from gateway.waiting import Waiting
from kit.errors import Unavailable
from kit.rpc.channels import open_channel
from tests.support.nats import free_port


async def test_a_service_that_comes_is_waited_for_and_then_no_more() -> None:
    port = free_port()
    waiting = Waiting(20)
    async with open_channel(f"127.0.0.1:{port}") as channel:
        requests = [asyncio.create_task(waiting.ready(channel)) for _ in range(3)]
        await asyncio.wait(requests, timeout=0.05)
        assert not any(request.done() for request in requests)
        server = grpc.aio.server()
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        await asyncio.gather(*requests)
        # With a connection nothing is awaited.
        steps = waiting.ready(channel)
        with pytest.raises(StopIteration):
            steps.send(None)
        await server.stop(0)


async def test_one_that_does_not_come_is_unavailable_in_the_end() -> None:
    async with open_channel(f"127.0.0.1:{free_port()}") as channel:
        with pytest.raises(Unavailable):
            await Waiting(0.05).ready(channel)


async def test_beyond_its_bound_nobody_waits() -> None:
    waiting = Waiting(20, most=2)
    async with open_channel(f"127.0.0.1:{free_port()}") as channel:
        requests = [asyncio.create_task(waiting.ready(channel)) for _ in range(2)]
        await asyncio.wait(requests, timeout=0.01)
        with pytest.raises(Unavailable):
            await waiting.ready(channel)
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        # Who left made room.
        third = asyncio.create_task(waiting.ready(channel))
        await asyncio.wait([third], timeout=0.01)
        assert not third.done()
        third.cancel()


async def test_without_a_time_nobody_waits_and_the_call_tells() -> None:
    async with open_channel(f"127.0.0.1:{free_port()}") as channel:
        await Waiting(0).ready(channel)
