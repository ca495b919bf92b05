"""What only Envoy does: native gRPC, keys by URL, retries, health checks, logs, metrics and traces."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from aiohttp import web
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.edges.conftest import Start, eventually
from tests.support.things.compile import Compiled
from tests.support.things.stack import Backend, Keys, edge_settings

THINGS = "/api/v1/things"
GET_THING = "/edge.v1.Things/GetThing"


async def test_internal_callers_speak_grpc_through_it(start: Start, compiled: Compiled, things: Backend) -> None:
    """Metadata, streams, errors with their trailers, each service's health; no user's token is asked for."""
    pb2 = compiled.pb2
    async with start(grpc_port=0) as envoy, grpc.aio.insecure_channel(f"127.0.0.1:{envoy.ports['grpc']}") as channel:
        get: Any = channel.unary_unary(GET_THING, pb2.GetThingRequest.SerializeToString, pb2.Thing.FromString)
        call = get(
            pb2.GetThingRequest(thing_id="a"), metadata=(("authorization", "Bearer internal"), ("x-prsm-epoch", "7"))
        )
        assert (await call).thing_id == "a"
        assert things.things.metadata["authorization"] == "Bearer internal"
        assert things.things.metadata["x-prsm-epoch"] == "7"
        assert dict(await call.initial_metadata())["etag"] == '"v1"'
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await get(pb2.GetThingRequest(thing_id="missing"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert json.loads(dict(caught.value.trailing_metadata())["x-prsm-error"])["error"] == "thing_not_found"
        assert "grpc-status-details-bin" in dict(caught.value.trailing_metadata())

        checks = health_pb2_grpc.HealthStub(channel)
        named = (("x-prsm-service", "edge"),)
        answer = await checks.Check(health_pb2.HealthCheckRequest(), metadata=named)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        for path, metadata in (("/grpc.health.v1.Health/Check", ()), ("/edge.v1.Nobody/Call", named)):
            unknown: Any = channel.unary_unary(path)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await unknown(b"", metadata=metadata)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_grpc_listener_speaks_no_json(start: Start, keys: Keys) -> None:
    async with start(grpc_port=0) as envoy, aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientError):
            await client.get(f"http://127.0.0.1:{envoy.ports['grpc']}{THINGS}/a", headers={"X-API-Key": keys.token()})


@contextlib.asynccontextmanager
async def issuer(jwks: Path) -> AsyncIterator[tuple[str, list[bool]]]:
    """A server of keys, which answers while its switch is on."""
    switch = [True]

    async def answer(_request: web.Request) -> web.Response:
        if not switch[0]:
            raise web.HTTPServiceUnavailable
        return web.Response(body=await asyncio.to_thread(jwks.read_bytes), content_type="application/json")

    app = web.Application()
    app.router.add_get("/keys", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/keys", switch
    finally:
        await runner.cleanup()


async def test_keys_come_from_the_issuers_url_and_until_they_do_nobody_is_judged(start: Start, keys: Keys) -> None:
    async with issuer(keys.jwks) as (url, switch):
        switch[0] = False
        headers = {"X-API-Key": keys.token()}
        async with start(user_jwks=url) as envoy, aiohttp.ClientSession(envoy.url) as client:
            async with client.get(f"{THINGS}/a", headers=headers) as response:
                body = await response.json()
                assert (response.status, body["error"]) == (503, "unavailable")
                assert "WWW-Authenticate" not in response.headers
            switch[0] = True

            async def is_in() -> bool:
                async with client.get(f"{THINGS}/a", headers=headers) as response:
                    return response.status == 200

            await eventually(is_in)
            async with client.get(f"{THINGS}/a", headers={"X-API-Key": keys.token(ttl=-600)}) as response:
                assert response.status == 401


async def test_reads_are_tried_again_and_changes_are_not(start: Start, keys: Keys, things: Backend) -> None:
    async with start() as envoy, aiohttp.ClientSession(envoy.url, headers={"X-API-Key": keys.token()}) as client:
        async with client.get(f"{THINGS}/away") as response:
            assert response.status == 503
        assert len(things.things.requests) == 3
        async with client.post(f"{THINGS}/away/pause") as response:
            assert response.status == 503
        assert len(things.things.requests) == 4


async def test_a_replica_that_is_not_serving_gets_no_requests(start: Start, keys: Keys, backend: Backend) -> None:
    async with start(health_check_seconds=0.05) as envoy, aiohttp.ClientSession() as client:

        async def is_healthy() -> bool:
            async with client.get(f"{envoy.admin}/clusters?format=json") as response:
                (cluster,) = (await response.json())["cluster_statuses"]
            return not cluster["host_statuses"][0]["health_status"].get("failed_active_health_check", False)

        async def is_unhealthy() -> bool:
            return not await is_healthy()

        await eventually(is_healthy)
        await backend.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        try:
            await eventually(is_unhealthy)
        finally:
            await backend.health.set("", health_pb2.HealthCheckResponse.SERVING)
        await eventually(is_healthy)


async def test_the_access_log_tells_of_a_request_and_holds_no_secret(start: Start, keys: Keys) -> None:
    token = keys.token()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"X-API-Key": token, "X-Request-Id": "mine", "traceparent": trace, "User-Agent": "a test"}
    async with start(access_log=True) as envoy, aiohttp.ClientSession(envoy.url) as client:
        async with client.get(f"{THINGS}/secret-share?", headers=headers) as response:
            assert response.status == 200

        async def is_written() -> bool:
            return bool(await asyncio.to_thread(envoy.log.read_text))

        await eventually(is_written)
        text = await asyncio.to_thread(envoy.log.read_text)
    line = json.loads(text.splitlines()[0])
    expected = {"request_id": "mine", "traceparent": trace, "status": 200, "route": f"GET {THINGS}/{{thing_id}}"}
    expected |= {"verb": "GET", "service": "edge", "user_agent": "a test", "details": "via_upstream", "grpc_status": 0}
    assert {name: line.get(name) for name in expected} == expected
    assert line["milliseconds"] >= 0
    assert "secret-share" not in text
    assert token not in text


async def test_metrics_are_there_and_the_admin_interface_is_not(start: Start, keys: Keys, free_admin_port: int) -> None:
    async with start(metrics_port=0, admin_port=free_admin_port) as envoy, aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{envoy.ports['metrics']}"
        async with client.get(f"{url}/metrics") as response:
            told = await response.text()
        # What the alerts ask for.
        for prefix, status in (("http", "5"), ("http", "2")):
            labels = f'envoy_response_code_class="{status}",envoy_http_conn_manager_prefix="{prefix}"'
            assert f"envoy_http_downstream_rq_xx{{{labels}}}" in told
        for path in ("/", "/stats", "/quitquitquit", "/config_dump", "/metrics/../quitquitquit"):
            async with client.post(f"{url}{path}") as response:
                assert response.status == 404, path


@pytest.fixture
def free_admin_port() -> int:
    from tests.support.nats import free_port

    return free_port()


async def test_traces_go_to_the_collector_and_on_to_the_service(start: Start, keys: Keys, things: Backend) -> None:
    """One trace: the caller's, or a new one, with a span of Envoy's between caller and service."""
    got = asyncio.Event()

    class Collector(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
            async def export(request: bytes, _context: object) -> bytes:
                if details.method.endswith("TraceService/Export") and b"GET /api/v1/things/{thing_id}" in request:
                    got.set()
                return b""

            return grpc.unary_unary_rpc_method_handler(export)

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Collector(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"X-API-Key": keys.token(), "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    try:
        async with start(otlp_endpoint=f"127.0.0.1:{port}") as envoy, aiohttp.ClientSession(envoy.url) as client:
            async with client.get(f"{THINGS}/a", headers=headers) as response:
                assert response.status == 200
            passed = str(things.things.metadata["traceparent"])
            assert passed.split("-")[1] == trace
            assert passed != headers["traceparent"]
            async with asyncio.timeout(60):
                await got.wait()
    finally:
        await server.stop(None)


async def test_a_header_with_underscores_does_not_pass_for_another(start: Start, keys: Keys, things: Backend) -> None:
    headers = {"X-API-Key": keys.token(), "idempotency_key": "a", "x_request_id": "b"}
    async with (
        start() as envoy,
        aiohttp.ClientSession(envoy.url) as client,
        client.get(f"{THINGS}/a", headers=headers) as response,
    ):
        assert response.status == 200
    assert not {"idempotency_key", "x_request_id", "idempotency-key"} & things.things.metadata.keys()


async def test_too_many_connections_are_refused(start: Start) -> None:
    async with start(max_connections=2) as envoy:
        connected = [await asyncio.open_connection("127.0.0.1", envoy.ports["http"]) for _ in range(3)]
        refused = 0
        for reader, writer in connected:
            writer.write(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                refused += not (await reader.read(1))
        for _, writer in connected:
            writer.close()
        assert refused == 1


def test_settings_that_cannot_be_meant_are_refused(compiled: Compiled, keys: Keys) -> None:
    for changes, words in (
        ({"tls_cert": "a"}, "go together"),
        ({"public_cert": "a"}, "go together"),
        ({"https_port": 1}, "go together"),
        ({"plain_http": "redirect"}, "no https_port"),
        ({"metrics_port": 1}, "admin_port"),
        ({"backends": {"edge": "nowhere"}}, "host:port"),
        ({"rate_limit": -1}, "rate_limit"),
    ):
        with pytest.raises(ValueError, match=words):
            edge_settings(compiled, keys, "127.0.0.1:1", **changes)
