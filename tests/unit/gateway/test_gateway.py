"""What only the aiohttp gateway does, over real HTTP and gRPC; what both edges do is in the contract tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from grpc_health.v1 import health_pb2

from gateway.app import start
from kit.times import ManualClock, SystemClock
from tests.contract.envoy_prototype.backend import FILE
from tests.contract.envoy_prototype.compile import Compiled
from tests.contract.envoy_prototype.stack import Backend, Keys, gateway_settings
from tests.unit.gateway.conftest import Opened

THINGS = "/api/v1/things"
NOBODY = "127.0.0.1:1"


async def error_of(response: aiohttp.ClientResponse) -> tuple[int, str]:
    body = json.loads(await response.read())
    assert body["code"] == response.status
    return response.status, body["error"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"nope":1}', "validation_error"),
        ('{"title":"a","title":"b"}', "invalid_json"),
        ('{"title":"x",}', "invalid_json"),
    ],
)
async def test_bodies_are_read_strictly(opened: Opened, text: str, error: str) -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    async with opened() as client, client.post(THINGS, data=text, headers=headers) as response:
        assert await error_of(response) == (400, error)


async def test_a_compressed_or_foreign_charset_body_is_refused(opened: Opened) -> None:
    async with opened() as client:
        for headers in (
            {"Content-Type": "application/json; charset=latin-1"},
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        ):
            async with client.post(THINGS, data=b"{}", headers=headers) as response:
                assert await error_of(response) == (415, "unsupported_media_type")


async def test_header_values_that_no_metadata_can_carry_are_refused(opened: Opened) -> None:
    async with opened() as client:
        async with client.get(f"{THINGS}/a", headers={"Idempotency-Key": "ä"}) as response:
            assert await error_of(response) == (400, "validation_error")
        async with client.get(f"{THINGS}/a", headers={"traceparent": "ä", "X-Request-Id": "a b"}) as response:
            assert response.status == 200
            assert response.headers["X-Request-Id"] != "a b"


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


async def test_a_json_body_over_the_limit_is_refused_when_it_is_not_announced(opened: Opened) -> None:
    kind = {"Content-Type": "application/json"}
    pieces = in_pieces(b" " * 2000, 100)
    async with (
        opened(max_body=1000) as client,
        client.post(THINGS, data=pieces, headers=kind) as response,
    ):
        assert await error_of(response) == (413, "payload_too_large")


async def test_a_file_that_breaks_off_does_not_look_whole(opened: Opened) -> None:
    async with opened() as client, client.get(f"{THINGS}/breaks/export") as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_call_that_takes_too_long_is_a_504(opened: Opened, things: Backend) -> None:
    async with opened(call_seconds=0.05, document_seconds=0.05) as client:
        for path in ("slow", "slow/export"):
            async with client.get(f"{THINGS}/{path}") as response:
                assert await error_of(response) == (504, "deadline_exceeded")
                assert response.headers["Retry-After"] == "1"
    await things.things.cancelled.wait()


async def test_a_body_that_never_ends_is_a_504(opened: Opened) -> None:
    ended = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        yield b"{"
        await ended.wait()

    kind = {"Content-Type": "application/json"}
    async with opened(upload_seconds=0.05) as client, client.post(THINGS, data=stalls(), headers=kind) as response:
        assert await error_of(response) == (504, "deadline_exceeded")
        ended.set()


async def test_a_backend_that_is_away_is_a_503(opened: Opened) -> None:
    async with opened(target=NOBODY) as client:
        for verb, path in (("GET", "a"), ("GET", "a/export"), ("POST", "upload"), ("POST", "a/pause")):
            async with client.request(verb, f"{THINGS}/{path}") as response:
                assert await error_of(response) == (503, "unavailable")
                assert response.headers["Retry-After"] == "1"


async def test_health_and_readiness(opened: Opened, backend: Backend) -> None:
    async with opened(target=NOBODY) as client:
        async with client.get("/health", headers={"Authorization": ""}) as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
        async with client.get("/ready") as response:
            body = await response.json()
            assert (response.status, body["error"]) == (503, "unavailable")
            assert body["details"] == {"services": {"edge": "unreachable"}}
        async with client.post("/health") as response:
            assert await error_of(response) == (405, "method_not_allowed")
            assert response.headers["Allow"] == "GET"
    async with opened() as client:
        async with client.get("/ready") as response:
            assert (response.status, await response.json()) == (
                200,
                {"status": "ok", "services": {"edge": "serving"}},
            )
        await backend.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        try:
            async with client.get("/ready") as response:
                assert response.status == 503
                assert (await response.json())["details"] == {"services": {"edge": "not_serving"}}
        finally:
            await backend.health.set("", health_pb2.HealthCheckResponse.SERVING)


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


async def test_what_is_not_http_gets_the_error_json_too(opened: Opened) -> None:
    async with opened() as client:
        assert client._base_url is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", client._base_url.port)
        writer.write(b"GET / HTTP/1.1\r\nbroken header\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    assert head.split(b" ")[1] == b"400"
    assert json.loads(body)["error"] == "validation_error"


async def test_events_carry_headers_that_keep_proxies_from_buffering(opened: Opened, things: Backend) -> None:
    async with opened() as client, client.get(f"{THINGS}/a/events") as response:
        assert response.headers["Cache-Control"] == "no-store"


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
