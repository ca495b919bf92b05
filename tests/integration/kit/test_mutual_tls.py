"""Mutual TLS between real servers and channels, also while certificates are replaced."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.calls import Backends, word_of
from gateway.json_codec import Schema
from gateway.routes import routes_of
from kit.rpc.channels import RotatingChannel, open_channel
from kit.rpc.health import Health, HealthServer
from kit.rpc.tls import TlsFiles
from tests.support.certificates import Authority, TlsFolder, serial_of
from tests.support.processes import ROOT

AUTHORITY = Authority()
STRANGER = Authority("another authority")
HOST = "localhost"


class Rig:
    """A server of the health service behind mutual TLS; the caller's own files lie beside the server's."""

    def __init__(self, folder: Path) -> None:
        self.server_files = TlsFolder(folder / "server", AUTHORITY, HOST)
        self.client_files = TlsFolder(folder / "client", AUTHORITY, "caller")
        self.health = Health()
        self._server = HealthServer(f"{HOST}:0", self.health, tls=opened(self.server_files))
        self.target = f"{HOST}:{self._server.port}"
        self.port = self._server.port

    async def start(self) -> None:
        await self.health.begin()
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()


def opened(files: TlsFolder, *, name: str = "") -> TlsFiles:
    """Files that are looked at each time."""
    return TlsFiles(str(files.cert), str(files.key), str(files.ca), name=name, pause=0.0)


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.start()
    yield made
    await made.stop()


async def ask(channel: grpc.aio.Channel) -> str:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service="liveness"), timeout=60)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


async def served_serial(rig: Rig) -> int:
    """The serial number of the certificate that a new connection is shown."""

    def connect() -> int:
        context = ssl.create_default_context(cadata=AUTHORITY.pem.decode())
        context.load_cert_chain(rig.client_files.cert, rig.client_files.key)
        context.set_alpn_protocols(["h2"])
        with (
            socket.create_connection((HOST, rig.port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as secure,
        ):
            shown = secure.getpeercert(binary_form=True)
        assert shown is not None
        return x509.load_der_x509_certificate(shown).serial_number

    return await asyncio.to_thread(connect)


async def test_both_sides_show_a_certificate(rig: Rig) -> None:
    async with open_channel(rig.target, tls=opened(rig.client_files)) as channel:
        assert await ask(channel) == "SERVING"


async def test_the_gateway_reaches_its_backends_the_same_way(rig: Rig) -> None:
    await rig.health.set_serving(True)
    schema = Schema.from_bytes((ROOT / "gen" / "descriptors.binpb").read_bytes())
    routes = routes_of(schema.methods())
    targets = {word_of(route.method.service): rig.target for route in routes}
    for tls, state in ((opened(rig.client_files), "serving"), (None, "unreachable")):
        backends = Backends(targets, routes, tls=tls)
        assert await backends.health(10) == dict.fromkeys(targets, state)
        await backends.close()


async def test_a_caller_without_a_certificate_or_with_a_strangers_is_refused(rig: Rig, tmp_path: Path) -> None:
    async with open_channel(rig.target) as plain:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(plain)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    strange = TlsFolder(tmp_path / "strange", STRANGER, "caller")
    strange.issue(STRANGER, "caller", trusted=[AUTHORITY])
    async with open_channel(rig.target, tls=opened(strange)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    without = grpc.ssl_channel_credentials(root_certificates=AUTHORITY.pem)
    async with grpc.aio.secure_channel(rig.target, without) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_server_must_be_who_the_target_names(rig: Rig) -> None:
    rig.server_files.issue(AUTHORITY, "another.host")
    async with open_channel(rig.target, tls=opened(rig.client_files)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    async with open_channel(rig.target, tls=opened(rig.client_files, name="another.host")) as channel:
        assert await ask(channel) == "SERVING"


async def test_a_server_of_a_strange_authority_is_not_called(rig: Rig) -> None:
    rig.server_files.issue(STRANGER, HOST, trusted=[AUTHORITY])
    async with open_channel(rig.target, tls=opened(rig.client_files)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_replaced_server_certificate_is_served_to_new_connections_without_a_restart(rig: Rig) -> None:
    first = serial_of(rig.server_files.cert.read_bytes())
    assert await served_serial(rig) == first
    rig.server_files.issue(AUTHORITY, HOST)
    second = serial_of(rig.server_files.cert.read_bytes())
    assert first != second == await served_serial(rig)


async def test_when_the_authority_is_replaced_callers_go_on_with_their_new_certificates(rig: Rig) -> None:
    channel = open_channel(rig.target, tls=opened(rig.client_files))
    assert isinstance(channel, RotatingChannel)
    async with channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        before = channel.current()
        for files, name in ((rig.server_files, HOST), (rig.client_files, "caller")):
            files.issue(STRANGER, name, trusted=[STRANGER])
        assert await ask(channel) == "SERVING"
        assert channel.current() is not before
        # The stream that was open goes on where it was.
        await rig.health.set_serving(True)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()


async def test_closing_ends_what_is_under_way_on_the_old_channel(rig: Rig) -> None:
    channel = open_channel(rig.target, tls=opened(rig.client_files))
    stub: Any = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    await watch.read()
    rig.client_files.issue(AUTHORITY, "caller")
    assert await ask(channel) == "SERVING"
    await channel.close()
    assert await watch.code() is grpc.StatusCode.CANCELLED
    with pytest.raises(grpc.aio.UsageError):
        await ask(channel)
