"""What only the aiohttp gateway does, over real HTTP and gRPC; what both edges do is in tests/edges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from gateway.app import start
from kit.times import ManualClock, SystemClock
from tests.support.things.backend import FILE
from tests.support.things.compile import Compiled
from tests.support.things.stack import Backend, Keys, gateway_settings
from tests.unit.gateway.conftest import Opened

THINGS = "/api/v1/things"
NOBODY = "127.0.0.1:1"


async def error_of(response: aiohttp.ClientResponse) -> tuple[int, str]:
    body = json.loads(await response.read())
    assert body["code"] == response.status
    return response.status, body["error"]


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.mark.parametrize("path", ["upload", "batch"])
async def test_an_upload_over_the_limit_is_refused_announced_or_not(opened: Opened, things: Backend, path: str) -> None:
    data = b"x" * 10_001
    kind = {"Content-Type": "application/octet-stream"}
    async with opened(max_upload=10_000, chunk=1024) as client:
        async with client.post(f"{THINGS}/{path}", data=data, headers=kind) as response:
            assert await error_of(response) == (413, "payload_too_large")
        pieces = in_pieces(data, 1000)
        async with client.post(f"{THINGS}/{path}", data=pieces, headers=kind) as response:
            assert await error_of(response) == (413, "payload_too_large")
        async with client.post(f"{THINGS}/{path}", data=data[1:], headers=kind) as response:
            assert response.status in (200, 201)


async def test_the_rate_limit_is_per_principal_and_says_when_to_come_back(
    compiled: Compiled, keys: Keys, backend: Backend
) -> None:
    clock = ManualClock(SystemClock().now())
    settings = gateway_settings(compiled, keys, backend.target, rate_limit=1.0, rate_burst=2)
    gateway = await start(settings, clock=clock)
    url = f"http://127.0.0.1:{gateway.port}{THINGS}/a"

    async def ask(client: aiohttp.ClientSession, user: str) -> tuple[int, Any, Any]:
        async with client.get(url, headers={"X-API-Key": keys.token(user)}) as response:
            assert response.headers["RateLimit-Policy"] == '"default";q=2;w=2'
            return response.status, response.headers.get("Retry-After"), response.headers["RateLimit"]

    try:
        async with aiohttp.ClientSession() as client:
            assert (await ask(client, "a"))[0] == 200
            assert await ask(client, "a") == (200, None, '"default";r=0;t=1')
            assert await ask(client, "a") == (429, "1", '"default";r=0;t=1')
            assert (await ask(client, "b"))[0] == 200
            clock.advance(seconds=1)
            assert (await ask(client, "a"))[0] == 200
    finally:
        await gateway.stop()


async def test_a_change_is_finished_when_its_client_leaves_and_a_read_is_not(opened: Opened, things: Backend) -> None:
    async with opened() as client:
        for verb, path, ended in (
            ("GET", f"{THINGS}/slow", things.things.cancelled),
            ("POST", f"{THINGS}/slow/pause", things.things.finished),
        ):
            things.things.started.clear()
            asking = asyncio.create_task(client.request(verb, path).__aenter__())
            await things.things.started.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            if verb == "POST":
                things.things.slow.set()
            await ended.wait()


async def test_stopping_ends_event_streams_and_lets_requests_finish(
    compiled: Compiled, keys: Keys, things: Backend
) -> None:
    gateway = await start(gateway_settings(compiled, keys, things.target))
    headers = {"Authorization": f"Bearer {keys.token()}"}
    base = f"http://127.0.0.1:{gateway.port}{THINGS}"
    async with aiohttp.ClientSession(headers=headers) as client:
        async with client.get(f"{base}/a/events") as events:
            await events.content.readuntil(b"\n\n")
            asking = asyncio.create_task(client.post(f"{base}/slow/pause").__aenter__())
            await things.things.started.wait()
            stopping = asyncio.create_task(gateway.stop())
            assert await events.content.read() == b""
            things.things.slow.set()
            async with await asking as response:
                assert response.status == 200
        await stopping
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(f"{base}/a")


async def test_an_answer_in_pieces_is_asked_for_once_more_while_nothing_was_sent(
    opened: Opened, things: Backend
) -> None:
    async with opened() as client:
        for thing, error, times in (("away", (503, "unavailable"), 2), ("missing", (404, "thing_not_found"), 1)):
            things.things.requests.clear()
            async with client.get(f"{THINGS}/{thing}/events") as response:
                assert await error_of(response) == error
            assert len(things.things.requests) == times


async def test_a_missing_backend_setting_is_told_at_start(compiled: Compiled, keys: Keys) -> None:
    with pytest.raises(ValueError, match="no backend is set for edge"):
        await start(gateway_settings(compiled, keys, NOBODY, backends={}))


async def test_unreadable_keys_are_a_503_until_they_are_there(compiled: Compiled, keys: Keys, backend: Backend) -> None:
    settings = gateway_settings(compiled, keys, backend.target, user_jwks=str(keys.jwks) + ".missing")
    gateway = await start(settings)
    try:
        headers = {"X-API-Key": keys.token()}
        url = f"http://127.0.0.1:{gateway.port}{THINGS}/a"
        async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as response:
            assert await error_of(response) == (503, "unavailable")
    finally:
        await gateway.stop()


async def test_a_large_file_passes_through(opened: Opened) -> None:
    async with opened() as client, client.get(f"{THINGS}/a/export") as response:
        assert await response.read() == FILE
