"""Connecting to PostgreSQL by a URL as libpq reads it: with several hosts, target_session_attrs, sslmode, passfile.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

ENGINE_URL = "postgresql+asyncpg://"
"""For SQLAlchemy, beside `async_creator`: where the database is stands in the connector."""
_UNANSWERED_MS = 10_000
_IDLE, _BETWEEN, _TIMES = 10, 5, 3


def connector(url: str, **arguments: Any) -> Callable[[], Awaitable[Any]]:
    """What opens one connection to the database at `url`; `arguments` are asyncpg's."""

    async def connect() -> Any:
        import asyncpg

        try:
            connection = await asyncpg.connect(url, **arguments)
        except (asyncpg.PostgresError, asyncpg.exceptions.TargetServerAttributeNotMatched) as error:
            # There is somebody, but not for us: it starts, stops, has no place, or is not the primary any more.
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        notice_silence(connection._transport.get_extra_info("socket"))
        return connection

    return connect


def notice_silence(sock: socket.socket) -> None:
    """Give a connection up whose other end has vanished without a word, as a primary does with its machine; otherwise
    every pooled one would be waited for until its query's time is over."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _BETWEEN)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _TIMES)
