"""What the edge itself answers: too many requests, a service that is away, one that takes too long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cli.stack.keys import USER_AUDIENCE, USER_ISSUER
from gateway.app import start
from gateway.settings import GatewaySettings
from tests.contract.assertions import assert_error
from tests.contract.calls import given
from tests.contract.world import World
from tests.support.envoy import running_envoy
from tests.support.nats import free_port
from tests.support.rest import API, Api
from tests.support.stack import ROOT

SERVICES = ("session", "results", "collab", "billing", "library")


@asynccontextmanager
async def another_edge(
    world: World, folder: Path, *, port_of: Mapping[str, int] | None = None, **settings: Any
) -> AsyncIterator[Api]:
    """An edge of the test's own before the same services, or what listens at `port_of`, and a user of it."""
    backends = {name: world.stack.endpoints[name] for name in SERVICES}
    backends |= {name: f"127.0.0.1:{port}" for name, port in (port_of or {}).items()}
    async with AsyncExitStack() as running:
        if world.stack.edge == "gateway":
            url = await running.enter_async_context(_gateway(world, {"backends": backends, **settings}))
        else:
            given = world.stack.edge_settings(**{"backends": backends, **settings})
            url = (await running.enter_async_context(running_envoy(given, folder))).url
        client = await running.enter_async_context(aiohttp.ClientSession())
        yield Api(client, url, world.stack.token("limited"), "limited")


@asynccontextmanager
async def _gateway(world: World, settings: Mapping[str, Any]) -> AsyncIterator[str]:
    fixed = {
        "listen": "127.0.0.1:0",
        "descriptors": ROOT / "gen" / "descriptors.binpb",
        "user_issuer": USER_ISSUER,
        "user_audience": USER_AUDIENCE,
        "user_jwks": str(world.stack.data.user_jwks),
        "hold_seconds": 0,
    }
    gateway = await start(GatewaySettings.model_validate({**fixed, **settings}))
    try:
        yield f"http://127.0.0.1:{gateway.port}"
    finally:
        await gateway.stop()


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """A port that takes connections and never says anything."""
    over = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        over.set()
        server.close()


async def test_too_many_requests(world: World, tmp_path: Path) -> None:
    async with another_edge(world, tmp_path, rate_limit=0.01, rate_burst=2) as api:
        first = await api.send("GET", f"{API}/billing/balance")
        await api.send("GET", f"{API}/billing/balance")
        refused = await api.send("GET", f"{API}/billing/balance")
    assert first.status == 200
    assert first.headers["RateLimit-Policy"].startswith('"default";q=2')
    assert_error(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1


async def test_a_service_that_is_away(world: World, tmp_path: Path) -> None:
    async with another_edge(world, tmp_path, port_of={"billing": free_port()}) as api:
        answer = await api.send("GET", f"{API}/billing/balance")
        other = await api.send("GET", f"{API}/sessions")
        ready = await api.send("GET", "/ready")
    assert_error(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert (other.status, ready.status) == (200, 503)


async def test_a_service_that_takes_too_long(world: World, tmp_path: Path) -> None:
    async with silence() as port, another_edge(world, tmp_path, port_of={"session": port}, call_seconds=0.2) as api:
        answer = await api.send("GET", f"{API}/sessions")
    assert_error(answer, 504, "deadline_exceeded")
    assert "Retry-After" in answer.headers


async def _megabytes(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 1_048_576


async def test_an_upload_that_does_not_say_how_large_it_is(world: World) -> None:
    """Neither edge holds a whole upload: what is too much is refused as it comes."""
    made = await given(world, "one_file")
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        yield form
        async for piece in _megabytes(51):
            yield piece

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await made.api.send("POST", f"{API}/documents/upload", raw=body(), headers=headers)
    assert_error(answer, 413, "payload_too_large")
    assert (await made.api.get("/documents"))["total_count"] == 0


@pytest.mark.parametrize("path", ["/documents", "/sessions"])
async def test_a_body_over_the_limit(world: World, path: str) -> None:
    made = await given(world, "own_library")
    raw = json.dumps({"title": "t", "text": "x" * (1024 * 1024)}).encode()
    answer = await made.api.send("POST", API + path, raw=raw, headers={"Content-Type": "application/json"})
    assert_error(answer, 413, "payload_too_large")
