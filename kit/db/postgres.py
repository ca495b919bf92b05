"""PostgreSQL behind the same two verbs: asyncpg under SQLAlchemy, serialisation faults and deadlocks retried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import create_async_engine

from kit.errors import Unavailable

T = TypeVar("T")
_RETRIED = frozenset({"40001", "40P01"})
_ATTEMPTS = 5


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")


class PostgresDatabase:
    """See the module. Every connection works in the service's own schema."""

    dialect = "postgresql"

    def __init__(self, url: str, *, schema: str, pool_size: int = 10, pool_timeout: float = 5) -> None:
        self._engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout,
            pool_pre_ping=False,
            connect_args={
                "timeout": 5,
                "command_timeout": 30,
                "server_settings": {"search_path": schema, "application_name": f"prsm-{schema}"},
            },
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._listeners: list[Callable[[], None]] = []

    def on_commit(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        # A caller that goes away does not undo what is under way.
        return await asyncio.shield(asyncio.ensure_future(self._write(fn)))

    async def _write(self, fn: Callable[[Connection], T]) -> T:
        for attempt in range(_ATTEMPTS):
            try:
                async with self._engine.begin() as connection:
                    value = await connection.run_sync(fn)
            except DBAPIError as error:
                if _sqlstate(error) in _RETRIED and attempt + 1 < _ATTEMPTS:
                    continue
                raise _translated(error) from error
            except (OSError, TimeoutError, NoConnectionFree) as error:
                raise Unavailable() from error
            for listener in self._listeners:
                listener()
            return value
        raise AssertionError("unreachable")

    async def read(self, fn: Callable[[Connection], T]) -> T:
        try:
            async with self._snapshots.connect() as connection:
                return await connection.run_sync(fn)
        except DBAPIError as error:
            raise _translated(error) from error
        except (OSError, TimeoutError, NoConnectionFree) as error:
            raise Unavailable() from error

    async def scan(self, fn: Callable[[Connection], T]) -> T:
        return await self.read(fn)

    async def ping(self) -> None:
        await self.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    async def close(self) -> None:
        await self._engine.dispose()


def _translated(error: DBAPIError) -> Exception:
    """A database that is away is `unavailable`; anything else is a fault of ours and stays what it is."""
    away = _sqlstate(error)[:2] in {"08", "53", "57"}
    if away or error.connection_invalidated or isinstance(error, (InterfaceError, OperationalError)):
        return Unavailable()
    return error
