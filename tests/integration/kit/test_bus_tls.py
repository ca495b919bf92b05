"""NATS over TLS, with a token that stands in no URL, and more servers than one."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import nats.errors
import pytest
import pytest_asyncio

from kit.bus.connection import Bus
from kit.identity import nats_context
from kit.settings import BusSettings
from tests.support.certificates import Authority, TlsFolder
from tests.support.nats import NatsServer, free_port

TOKEN = "a-token-of-the-test"
AUTHORITY = Authority()


class SecureServer(NatsServer):
    """A server that speaks TLS alone and asks for a token."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.files = TlsFolder(folder / "tls", AUTHORITY, "localhost")
        self.url = f"tls://localhost:{self.port}"

    def arguments(self) -> list[str]:
        return ["--tls", "--tlscert", str(self.files.cert), "--tlskey", str(self.files.key), "--auth", TOKEN]


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[SecureServer]:
    made = SecureServer(tmp_path)
    await made.start()
    yield made
    await made.stop()


def bus(server: SecureServer, **given: str) -> Bus:
    url = f"tls://localhost:{free_port()}, {server.url}"
    settings = BusSettings.model_validate({"nats_url": url, "nats_token": TOKEN, **given})
    return Bus(settings.nats_url, name="test", token=settings.nats_token, tls=nats_context(settings))


async def test_a_bus_trusts_the_authority_it_is_given(server: SecureServer) -> None:
    connected = bus(server, nats_ca=str(server.files.ca))
    connected.start()
    async with asyncio.timeout(60):
        await connected.ready()
    await connected.ensure_streams()
    assert connected.client.connected_url is not None
    assert connected.client.connected_url.port == server.port
    await connected.close()


@pytest.mark.parametrize("wrong", [{"nats_ca": "stranger"}, {"nats_ca": ""}, {"nats_token": "another"}])
async def test_it_does_not_connect_to_a_stranger_nor_without_the_token(
    server: SecureServer, tmp_path: Path, wrong: dict[str, str]
) -> None:
    stranger = TlsFolder(tmp_path / "stranger", Authority(), "localhost")
    given = {"nats_ca": str(server.files.ca), "nats_token": TOKEN, **wrong}
    if given["nats_ca"] == "stranger":
        given["nats_ca"] = str(stranger.ca)
    settings = BusSettings.model_validate({"nats_url": server.url, **given})
    with pytest.raises((ssl.SSLError, nats.errors.Error)):
        await nats.connect(
            settings.nats_url,
            token=settings.nats_token,
            tls=nats_context(settings),
            allow_reconnect=False,
            connect_timeout=20,
            error_cb=_unheard,
        )


async def _unheard(_error: Exception) -> None:
    """What was wrong is raised, too."""
