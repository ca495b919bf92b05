"""PostgreSQL's URL as libpq reads it, and connections whose other end falls silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Connection, text

from kit.db.database import Database, open_database
from kit.db.dsn import connector
from kit.errors import Unavailable


@asynccontextmanager
async def over_tcp(url: str) -> AsyncIterator[tuple[int, str]]:
    """A port behind which the server on a Unix socket is, and the name of the database."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query)["host"][0]
    tasks: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # The other end has gone, and so do we.
        finally:
            writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(str(Path(folder) / ".s.PGSQL.5432"))
        for pair in ((reader, inner_writer), (inner_reader, writer)):
            task = asyncio.create_task(copy(*pair))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], parts.path.lstrip("/")
    finally:
        server.close()
        await asyncio.gather(*tasks)


def port_of(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 7")).scalar_one())


async def answers(db: Database) -> int:
    try:
        return await db.read(port_of)
    finally:
        await db.close()


async def test_of_several_hosts_the_one_that_can_be_written_to_is_taken(postgres_url: str) -> None:
    async with over_tcp(postgres_url) as (port, name):
        url = f"postgresql://postgres:@127.0.0.1:1,127.0.0.1:{port}/{name}?target_session_attrs=read-write"
        assert await answers(open_database(url, schema="public")) == 7


@pytest.mark.parametrize("mode", ["require", "verify-full"])
async def test_a_server_without_tls_is_refused_where_tls_is_asked_for(postgres_url: str, mode: str) -> None:
    async with over_tcp(postgres_url) as (port, name):
        url = f"postgresql://postgres:@127.0.0.1:{port}/{name}?sslmode={mode}"
        with pytest.raises(Unavailable):
            await answers(open_database(url, schema="public"))


async def test_a_connection_over_the_network_is_given_up_when_nobody_answers(postgres_url: str) -> None:
    async with over_tcp(postgres_url) as (port, name):
        connection = await connector(f"postgresql://postgres:@127.0.0.1:{port}/{name}")()
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        await connection.close()
