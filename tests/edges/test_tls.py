"""TLS at Envoy: what clients are shown, and mutual TLS with services and internal callers."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.edges.conftest import Start, eventually
from tests.support.certificates import Authority
from tests.support.things.backend import Things
from tests.support.things.compile import Compiled
from tests.support.things.stack import Backend, Keys

THINGS = "/api/v1/things"
GET_THING = "/edge.v1.Things/GetThing"


class Secret:
    """Files as Kubernetes mounts them: links through `..data`, which is turned when the secret changes."""

    def __init__(self, folder: Path, authority: Authority, *names: str) -> None:
        self._folder = folder
        self._turn = 0
        folder.mkdir()
        self.cert, self.key, self.ca = (folder / name for name in ("tls.crt", "tls.key", "ca.crt"))
        self.issue(authority, *names)
        for path in (self.cert, self.key, self.ca):
            path.symlink_to(Path("..data") / path.name)

    def issue(self, authority: Authority, *names: str) -> None:
        self._turn += 1
        fresh = self._folder / f"..{self._turn}"
        fresh.mkdir()
        for name, content in zip(
            ("tls.crt", "tls.key", "ca.crt"), (*authority.issue(*names), authority.pem), strict=True
        ):
            (fresh / name).write_bytes(content)
        link = self._folder / "..data_tmp"
        link.symlink_to(fresh.name)
        link.replace(self._folder / "..data")


@contextlib.asynccontextmanager
async def secured_backend(compiled: Compiled, authority: Authority, name: str) -> AsyncIterator[Backend]:
    """A backend that shows a certificate for `name` and wants one of the same authority."""
    certificate, key = authority.issue(name)
    credentials = grpc.ssl_server_credentials([(key, certificate)], authority.pem, require_client_auth=True)
    things, checks = Things(compiled.pb2), health.aio.HealthServicer()
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((things.handlers(),))
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield Backend(things, checks, f"127.0.0.1:{port}")
    finally:
        await server.stop(None)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.pem.decode())


async def serial(port: int, context: ssl.SSLContext) -> str:
    """The serial number of the certificate that a listener shows, and the protocol."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    shown: Any = writer.get_extra_info("peercert")
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()
    return str(shown["serialNumber"])


async def test_https_shows_the_certificate_that_is_there_now(start: Start, keys: Keys, tmp_path: Path) -> None:
    authority = Authority()
    secret = Secret(tmp_path / "public", authority, "localhost")
    settings = {"https_port": 0, "public_cert": str(secret.cert), "public_key": str(secret.key)}
    headers = {"X-API-Key": keys.token()}
    async with start(**settings) as envoy, aiohttp.ClientSession(headers=headers) as client:
        context = trusting(authority)
        url = f"https://localhost:{envoy.ports['https']}"
        async with client.get(f"{url}{THINGS}/a", ssl=context) as response:
            assert (response.status, (await response.json())["thing_id"]) == (200, "a")
        first = await serial(envoy.ports["https"], context)
        secret.issue(authority, "localhost")

        async def is_new() -> bool:
            return await serial(envoy.ports["https"], context) != first

        await eventually(is_new)
        async with client.get(f"{url}{THINGS}/a", ssl=trusting(authority)) as response:
            assert response.status == 200


async def test_old_tls_is_refused(start: Start, tmp_path: Path) -> None:
    authority = Authority()
    secret = Secret(tmp_path / "public", authority, "localhost")
    settings = {"https_port": 0, "public_cert": str(secret.cert), "public_key": str(secret.key)}
    async with start(**settings) as envoy:
        context = trusting(authority)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await serial(envoy.ports["https"], context)


async def test_plain_http_may_only_lead_to_https(start: Start, keys: Keys, tmp_path: Path) -> None:
    secret = Secret(tmp_path / "public", Authority(), "localhost")
    settings = {"https_port": 0, "public_cert": str(secret.cert), "public_key": str(secret.key)}
    async with start(**settings, plain_http="redirect") as envoy, aiohttp.ClientSession(envoy.url) as client:
        async with client.post(f"{THINGS}?x=1", allow_redirects=False) as response:
            assert response.status == 308
            assert response.headers["Location"].startswith("https://127.0.0.1")
            assert response.headers["Location"].endswith(f"{THINGS}?x=1")
        for path in ("/health", "/ready"):
            async with client.get(path) as response:
                assert response.status == 200


async def test_services_are_called_with_mutual_tls(
    start: Start, compiled: Compiled, keys: Keys, tmp_path: Path
) -> None:
    authority = Authority()
    own = Secret(tmp_path / "own", authority, "envoy")
    settings = {"tls_cert": str(own.cert), "tls_key": str(own.key), "tls_ca": str(own.ca), "health_check_seconds": 1}
    headers = {"X-API-Key": keys.token()}
    async with secured_backend(compiled, authority, "edge.test") as secured:
        async with (
            start(secured.target, backend_name="{service}.test", **settings) as envoy,
            aiohttp.ClientSession(envoy.url, headers=headers) as client,
        ):
            async with client.get(f"{THINGS}/a") as response:
                assert response.status == 200
            async with client.get("/ready") as response:
                assert (await response.json())["services"] == {"edge": "serving"}
        async with (
            start(secured.target, backend_name="other.test", **settings) as envoy,
            aiohttp.ClientSession(envoy.url, headers=headers) as client,
            client.get(f"{THINGS}/a") as response,
        ):
            assert response.status == 503
        stranger = Secret(tmp_path / "stranger", Authority(), "envoy")
        foreign = {**settings, "tls_cert": str(stranger.cert), "tls_key": str(stranger.key)}
        async with (
            start(secured.target, backend_name="{service}.test", **foreign) as envoy,
            aiohttp.ClientSession(envoy.url, headers=headers) as client,
            client.get(f"{THINGS}/a") as response,
        ):
            assert response.status == 503


async def test_internal_callers_show_a_certificate(
    start: Start, compiled: Compiled, keys: Keys, tmp_path: Path
) -> None:
    pb2, authority = compiled.pb2, Authority()
    own = Secret(tmp_path / "own", authority, "envoy.test")
    settings = {"tls_cert": str(own.cert), "tls_key": str(own.key), "tls_ca": str(own.ca), "backend_name": "edge.test"}
    options = [("grpc.ssl_target_name_override", "envoy.test")]
    certificate, key = authority.issue("worker.test")
    good = grpc.ssl_channel_credentials(authority.pem, key, certificate)
    nobody = grpc.ssl_channel_credentials(authority.pem)
    async with (
        secured_backend(compiled, authority, "edge.test") as secured,
        start(secured.target, grpc_port=0, **settings) as envoy,
    ):
        target = f"127.0.0.1:{envoy.ports['grpc']}"
        async with grpc.aio.secure_channel(target, good, options) as channel:
            get: Any = channel.unary_unary(GET_THING, pb2.GetThingRequest.SerializeToString, pb2.Thing.FromString)
            assert (await get(pb2.GetThingRequest(thing_id="a"))).thing_id == "a"
        async with grpc.aio.secure_channel(target, nobody, options) as channel:
            refused: Any = channel.unary_unary(GET_THING)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await refused(b"")
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
