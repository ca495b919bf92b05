"""What both edges refuse by themselves, and how they say it: headers, limits, time-outs, probes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from grpc_health.v1 import health_pb2

from kit.auth.tokens import TokenRules
from tests.edges.conftest import Opened, error_of
from tests.support.things.backend import LONG_TITLE
from tests.support.things.stack import Backend, Keys

THINGS = "/api/v1/things"
NOBODY = "127.0.0.1:1"
JSON = {"Content-Type": "application/json"}


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def test_header_values_that_no_metadata_can_carry_are_refused(client: aiohttp.ClientSession) -> None:
    async with client.get(f"{THINGS}/a", headers={"Idempotency-Key": "\u00e4"}) as response:
        assert (response.status, response.headers["Content-Type"]) == (400, "application/json")
        assert (await response.json())["details"]["fields"][0]["field"] == "idempotency-key"
    async with client.get(f"{THINGS}/a", headers={"traceparent": "\u00e4", "X-Request-Id": "a b"}) as response:
        assert response.status == 200
        assert " " not in response.headers["X-Request-Id"]


@pytest.mark.parametrize("name", ["Idempotency-Key", "Last-Event-ID"])
async def test_a_header_that_is_there_twice_is_refused(client: aiohttp.ClientSession, name: str) -> None:
    async with client.get(f"{THINGS}/a", headers=[(name, "a"), (name, "b")]) as response:
        assert response.status == 400
        fault = {"field": name.lower(), "issue": "may be given only once"}
        assert (await response.json())["details"] == {"fields": [fault]}


@pytest.mark.parametrize("name", ["Authorization", "X-API-Key"])
async def test_of_two_credentials_none_counts(edge: str, keys: Keys, name: str) -> None:
    value = f"Bearer {keys.token()}" if name == "Authorization" else keys.token()
    async with (
        aiohttp.ClientSession(edge) as anyone,
        anyone.get(f"{THINGS}/a", headers=[(name, value), (name, value)]) as response,
    ):
        assert await error_of(response) == (401, "unauthorized")


async def test_the_largest_token_has_room(client: aiohttp.ClientSession, keys: Keys) -> None:
    room = TokenRules(issuer="", audience="").longest - len(keys.token(name=""))
    token = keys.token(name="n" * (room // 4 * 3))
    async with client.get(f"{THINGS}/a", headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 200


async def test_only_known_headers_reach_the_service(client: aiohttp.ClientSession, things: Backend) -> None:
    sent = {"X-Prsm-Grant": "mine", "Cookie": "a=b", "grpc-timeout": "1n", "X-Envoy-Upstream-Rq-Timeout-Ms": "1"}
    async with client.get(f"{THINGS}/a", headers=sent) as response:
        assert response.status == 200
    assert not {name.lower() for name in sent} & things.things.metadata.keys() - {"grpc-timeout"}


async def test_authorization_goes_before_the_api_key(edge: str, keys: Keys, things: Backend) -> None:
    async with aiohttp.ClientSession(edge) as anyone:
        good, bad = keys.token(), "a.b.c"
        for headers, status in (
            ({"Authorization": "Basic YTpi", "X-API-Key": good}, 401),
            ({"Authorization": f"Bearer {bad}", "X-API-Key": good}, 401),
            ({"Authorization": f"bearer  {good}", "X-API-Key": bad}, 200),
            ({"X-API-Key": f" {good} "}, 200),
        ):
            async with anyone.get(f"{THINGS}/a", headers=headers) as response:
                assert response.status == status, headers


@pytest.mark.parametrize(
    "claims",
    [{"sub": ""}, {"sub": 7}, {"sub": "s" * 256}, {"sub": "a\0b"}, {"sub": None}, {"aud": ["others"]}, {"exp": 1}],
)
async def test_a_signature_alone_does_not_make_a_token(edge: str, keys: Keys, claims: dict[str, Any]) -> None:
    headers = {"X-API-Key": keys.token(**claims)}
    async with aiohttp.ClientSession(edge) as anyone, anyone.get(f"{THINGS}/a", headers=headers) as response:
        assert await error_of(response) == (401, "unauthorized")
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="prsm"'


async def test_a_token_of_another_type_is_refused(edge: str, keys: Keys) -> None:
    headers = {"X-API-Key": keys.token(typ="id+jwt")}
    async with aiohttp.ClientSession(edge) as anyone, anyone.get(f"{THINGS}/a", headers=headers) as response:
        assert await error_of(response) == (401, "unauthorized")


async def test_an_algorithm_that_is_not_accepted_is_refused(opened: Opened) -> None:
    async with opened(user_algorithms=["RS256"]) as client, client.get(f"{THINGS}/a") as response:
        assert await error_of(response) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["upload", "batch"])
async def test_an_announced_upload_over_the_limit_is_refused(opened: Opened, path: str) -> None:
    kind = {"Content-Type": "application/octet-stream"}
    async with opened(max_upload=10_000) as client:
        async with client.post(f"{THINGS}/{path}", data=b"x" * 10_001, headers=kind) as response:
            assert await error_of(response) == (413, "payload_too_large")
        async with client.post(f"{THINGS}/{path}", data=b"x" * 10_000, headers=kind) as response:
            assert response.status in (200, 201)


async def test_a_json_body_over_the_limit_is_refused_when_it_is_not_announced(opened: Opened) -> None:
    async with (
        opened(max_body=1000) as client,
        client.post(THINGS, data=in_pieces(b" " * 2000, 100), headers=JSON) as response,
    ):
        assert await error_of(response) == (413, "payload_too_large")
        assert "name them by document_id" in (await response.json())["message"]


@pytest.mark.parametrize("value", ["1,2,3,", "[],", '{"a":0},'], ids=["numbers", "lists", "objects"])
async def test_a_body_within_the_limit_is_taken_however_large_its_message_is(
    client: aiohttp.ClientSession, value: str
) -> None:
    text = f'{{"metadata":{{"rows":[{value * (1_000_000 // len(value))}0]}}}}'
    async with client.post(THINGS, data=text, headers=JSON) as response:
        assert response.status == 201, await response.text()


async def test_a_large_answer_comes_whole(client: aiohttp.ClientSession) -> None:
    async with client.get(f"{THINGS}/long") as response:
        assert response.status == 200
        assert (await response.json())["title"] == LONG_TITLE


async def test_a_call_that_takes_too_long_is_a_504(opened: Opened, things: Backend) -> None:
    # Long enough for the call to get to the service, so that it is there to be cancelled.
    async with opened(call_seconds=0.5, document_seconds=0.5) as client:
        for path in ("slow", "slow/export"):
            async with client.get(f"{THINGS}/{path}") as response:
                assert await error_of(response) == (504, "deadline_exceeded")
                assert response.headers["Retry-After"] == "3"
    await things.things.cancelled.wait()


async def test_a_document_that_takes_too_long_is_asked_for_once(opened: Opened, things: Backend) -> None:
    async with opened(document_seconds=0.5) as client, client.get(f"{THINGS}/slow/export") as response:
        assert await error_of(response) == (504, "deadline_exceeded")
    assert len(things.things.requests) == 1


async def test_a_stream_may_be_silent_for_longer_than_its_first_byte_may_take(opened: Opened, things: Backend) -> None:
    async with opened(document_seconds=1, call_seconds=1) as client, client.get(f"{THINGS}/a/events") as events:
        assert await events.content.readuntil(b"\n\n")
        # A call beside it is given up after the same time: by then the stream would be over.
        async with client.get(f"{THINGS}/slow") as response:
            assert response.status == 504
        things.things.release.release()
        assert await events.content.readuntil(b"\n\n")


async def test_a_body_that_never_ends_is_a_504(opened: Opened) -> None:
    ended = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        yield b"{"
        await ended.wait()

    async with opened(upload_seconds=0.1) as client, client.post(THINGS, data=stalls(), headers=JSON) as response:
        assert await error_of(response) == (504, "deadline_exceeded")
        ended.set()


async def test_a_backend_that_is_away_is_a_503(opened: Opened) -> None:
    async with opened(target=NOBODY) as client:
        for verb, path in (("GET", "a"), ("GET", "a/export"), ("POST", "upload"), ("POST", "a/pause")):
            async with client.request(verb, f"{THINGS}/{path}") as response:
                assert await error_of(response) == (503, "unavailable")
                assert response.headers["Retry-After"] == "3"


async def test_health_and_readiness(opened: Opened, backend: Backend) -> None:
    async with opened(target=NOBODY) as client:
        async with client.get("/health?x=1", headers={"Authorization": ""}) as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
            assert response.headers["Content-Type"].startswith("application/json")
        async with client.get("/ready") as response:
            body = await response.json()
            assert (response.status, body["error"]) == (503, "unavailable")
            assert body["message"] == "Not serving: edge"
            assert body["details"] == {"services": {"edge": "unreachable"}}
            assert response.headers["Retry-After"] == "3"
        for path in ("/health", "/ready"):
            async with client.post(path) as response:
                assert await error_of(response) == (405, "method_not_allowed")
                assert response.headers["Allow"] == "GET"


async def test_readiness_is_the_services_own(edge: str, backend: Backend) -> None:
    async with aiohttp.ClientSession(edge) as anyone:
        async with anyone.get("/ready") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok", "services": {"edge": "serving"}})
        await backend.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        try:
            async with anyone.get("/ready") as response:
                assert response.status == 503
                assert (await response.json())["details"] == {"services": {"edge": "not_serving"}}
        finally:
            await backend.health.set("", health_pb2.HealthCheckResponse.SERVING)


async def test_the_rate_limit_is_per_principal_and_says_when_to_come_back(opened: Opened, keys: Keys) -> None:
    async def ask(client: aiohttp.ClientSession, user: str, path: str = f"{THINGS}/a") -> tuple[int, Any, Any]:
        async with client.get(path, headers={"Authorization": f"Bearer {keys.token(user)}"}) as response:
            assert response.headers["RateLimit-Policy"] == '"default";q=2;w=20'
            if response.status == 429:
                assert await error_of(response) == (429, "rate_limited")
            return response.status, response.headers.get("Retry-After"), response.headers["RateLimit"]

    async with opened(rate_limit=0.1, rate_burst=2) as client:
        assert await ask(client, "a") == (200, None, '"default";r=1;t=0')
        assert (await ask(client, "a", "/api/v1/nowhere"))[0] == 404
        status, after, limit = await ask(client, "a")
        assert (status, limit.partition("t=")[0]) == (429, '"default";r=0;')
        assert 5 <= int(str(after)) <= 10
        assert limit.endswith(f"t={after}")
        assert (await ask(client, "b"))[0] == 200
        async with client.get("/health") as response:
            assert "RateLimit" not in response.headers


async def test_without_a_rate_nothing_is_limited(client: aiohttp.ClientSession) -> None:
    async with client.get(f"{THINGS}/a") as response:
        assert "RateLimit-Policy" not in response.headers


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nbroken header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
    ids=["a header that is none", "a header that is too long", "no request"],
)
async def test_what_is_not_http_gets_the_error_json_too(edge: str, request_bytes: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(edge.rpartition(":")[2]))
    writer.write(request_bytes)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"400"
    [length] = re.findall(rb"(?i)\r\ncontent-length: (\d+)\r\n", head)
    answer = json.loads(await reader.readexactly(int(length)))
    # Envoy gives the other side some seconds to close first, and so it does.
    with contextlib.suppress(OSError):
        writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert (answer["error"], answer["code"]) == ("validation_error", 400)
    assert answer["details"]["fields"] == [{"field": "request", "issue": "is not HTTP that can be read"}]


@pytest.mark.parametrize("path", ["a", "a/export", "a/events"])
async def test_no_cache_keeps_an_answer(client: aiohttp.ClientSession, things: Backend, path: str) -> None:
    async with client.get(f"{THINGS}/{path}") as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Server"] == "prsm"


async def test_rest_is_not_another_way_to_grpc(edge: str, keys: Keys) -> None:
    """What calls itself gRPC is answered like anything else."""
    kind, token = {"Content-Type": "application/grpc"}, {"X-API-Key": keys.token()}
    async with aiohttp.ClientSession(edge) as anyone:
        async with anyone.get(f"{THINGS}/a", headers={**kind, **token}) as response:
            assert (response.status, (await response.json())["thing_id"]) == (200, "a")
        for verb, path, headers, error in (
            ("GET", f"{THINGS}/a", {}, (401, "unauthorized")),
            ("GET", "/api/v1/nope", token, (404, "not_found")),
            ("GET", f"{THINGS}?nope=1", token, (400, "validation_error")),
            ("POST", THINGS, token, (415, "unsupported_media_type")),
            ("GET", f"{THINGS}/missing", token, (404, "thing_not_found")),
        ):
            data = b"x" if verb == "POST" else None
            async with anyone.request(verb, path, data=data, headers={**kind, **headers}) as response:
                assert await error_of(response) == error, path
