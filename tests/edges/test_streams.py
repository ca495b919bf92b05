"""Clients of event streams that leave, vanish or do not read: each edge lets go of their streams, and holds little."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from urllib.parse import urlsplit

import aiohttp

from tests.edges.conftest import Opened
from tests.support.things.stack import Backend, Keys

THINGS = "/api/v1/things"
_MIB = 1024 * 1024


async def connected(client: aiohttp.ClientSession, keys: Keys, path: str) -> socket.socket:
    """A connection that has asked for `path` and takes next to nothing of what comes."""
    url = urlsplit(str(client._base_url))
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, (url.hostname, url.port))
    head = f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {keys.token()}\r\n\r\n"
    await loop.sock_sendall(sock, head.encode())
    return sock


async def test_a_client_that_does_not_read_is_let_go_and_held_little_for(
    opened: Opened, things: Backend, keys: Keys
) -> None:
    async with opened(client_seconds=1) as client:
        with closing(await connected(client, keys, f"{THINGS}/flood/events")):
            # Beside it others are served, over the same connection to the service.
            async with client.get(f"{THINGS}/a/events") as events:
                assert await events.content.readuntil(b"\n\n") == b'id: 1\ndata: {"n": 1}\n\n'
            assert not things.things.flooded.is_set()
            async with asyncio.timeout(60):
                await things.things.flooded.wait()
        assert 0 < things.things.sent < 3 * _MIB


async def test_a_client_that_left_is_noticed(opened: Opened, things: Backend, keys: Keys) -> None:
    async with opened() as client, client.get(f"{THINGS}/a/events") as events:
        await events.content.readuntil(b"\n\n")
        assert not things.things.cancelled.is_set()
        events.close()
        async with asyncio.timeout(60):
            await things.things.cancelled.wait()
