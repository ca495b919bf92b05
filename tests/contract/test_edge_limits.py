"""What the edge itself answers: too many requests, a service that is away, one that takes too long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from cli.stack.keys import USER_AUDIENCE, USER_ISSUER
from gateway.app import start
from gateway.settings import GatewaySettings
from tests.contract.assertions import assert_error
from tests.contract.calls import given
from tests.contract.world import World
from tests.support.nats import free_port
from tests.support.rest import API, Api
from tests.support.stack import ROOT

SERVICES = ("session", "results", "collab", "billing", "library")


@asynccontextmanager
async def another_gateway(
    world: World, *, port_of: Mapping[str, int] | None = None, **settings: Any
) -> AsyncIterator[Api]:
    """A gateway of the test's own before the same services, or what listens at `port_of`, and a user of it."""
    backends = {name: world.stack.endpoints[name] for name in SERVICES}
    backends |= {name: f"127.0.0.1:{port}" for name, port in (port_of or {}).items()}
    fixed = {
        "listen": "127.0.0.1:0",
        "descriptors": ROOT / "gen" / "descriptors.binpb",
        "backends": backends,
        "user_issuer": USER_ISSUER,
        "user_audience": USER_AUDIENCE,
        "user_jwks": str(world.stack.data.user_jwks),
    }
    gateway = await start(GatewaySettings.model_validate({**fixed, **settings}))
    token = world.stack.token("limited")
    try:
        async with aiohttp.ClientSession() as client:
            yield Api(client, f"http://127.0.0.1:{gateway.port}", token, "limited")
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


async def test_too_many_requests(world: World) -> None:
    async with another_gateway(world, rate_limit=0.01, rate_burst=2) as api:
        first = await api.send("GET", f"{API}/billing/balance")
        await api.send("GET", f"{API}/billing/balance")
        refused = await api.send("GET", f"{API}/billing/balance")
    assert first.status == 200
    assert first.headers["RateLimit-Policy"].startswith('"default";q=2')
    assert_error(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1


async def test_a_service_that_is_away(world: World) -> None:
    async with another_gateway(world, port_of={"billing": free_port()}) as api:
        answer = await api.send("GET", f"{API}/billing/balance")
        other = await api.send("GET", f"{API}/sessions")
        ready = await api.send("GET", "/ready")
    assert_error(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert (other.status, ready.status) == (200, 503)


async def test_a_service_that_takes_too_long(world: World) -> None:
    async with silence() as port, another_gateway(world, port_of={"session": port}, call_seconds=0.2) as api:
        answer = await api.send("GET", f"{API}/sessions")
    assert_error(answer, 504, "deadline_exceeded")
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize("path", ["/documents", "/sessions"])
async def test_a_body_over_the_limit(world: World, path: str) -> None:
    made = await given(world, "own_library")
    raw = json.dumps({"title": "t", "text": "x" * (1024 * 1024)}).encode()
    answer = await made.api.send("POST", API + path, raw=raw, headers={"Content-Type": "application/json"})
    assert_error(answer, 413, "payload_too_large")
