"""PostgreSQL behind the same two verbs: asyncpg under SQLAlchemy, serialisation faults and deadlocks retried."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from kit.db import watch
from kit.db.dsn import ENGINE_URL, connector
from kit.db.room import MOST, Room
from kit.errors import Unavailable

T = TypeVar("T")
_RETRIED = frozenset({"40001", "40P01"})
_AWAY = frozenset({"08", "53", "57"})
_ATTEMPTS = 5
_JITTER = 0.005
_ABANDONED = {
    # A process whose host vanishes in the middle of a transaction must not keep its locks: the server would only find
    # out after two hours. In milliseconds, then in seconds and tries.
    "idle_in_transaction_session_timeout": "5000",
    "tcp_user_timeout": "5000",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
_DURABLE = {"synchronous_commit": "on"}
"""Whatever server, database or role have as their default: a commit that was answered is on disk."""


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")


class PostgresDatabase:
    """See the module. Every connection works in the service's own schema."""

    dialect = "postgresql"

    def __init__(
        self,
        url: str,
        *,
        schema: str,
        pool_size: int = 10,
        pool_timeout: float = 5,
        longest: float = 30,
        most: int = MOST,
    ) -> None:
        """Times are in seconds: how long a call waits for one of the `pool_size` connections, and the longest
        statement. Of calls that wait or run there may be `most`, of writes and of reads."""
        self._engine = create_async_engine(
            ENGINE_URL,
            async_creator=connector(
                url,
                timeout=5,
                command_timeout=longest,
                server_settings={"search_path": schema, "application_name": f"prsm-{schema}", **_DURABLE, **_ABANDONED},
            ),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout,
            # One that finds its connection dead drops all older ones, and is run again on a new one.
            pool_pre_ping=False,
            # Parameters are users' texts: no error may quote them.
            hide_parameters=True,
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        pool = self._engine.pool
        assert isinstance(pool, AsyncAdaptedQueuePool)
        self._pool = pool
        watch.SIZE.set(pool_size)
        self._writes, self._reads = Room(most), Room(most)
        self._listeners: list[Callable[[], None]] = []

    def on_commit(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        # A caller that goes away does not undo what is under way.
        task = asyncio.ensure_future(self._watched(fn))
        task.add_done_callback(_noticed)
        return await asyncio.shield(task)

    async def _watched(self, fn: Callable[[Connection], T]) -> T:
        seen = watch.Write()
        try:
            with self._writes.one():
                return await self._write(fn, seen)
        except Unavailable:
            watch.ERRORS.labels("unavailable").inc()
            raise
        finally:
            seen.end()
            self._count_connections()

    async def _write(self, fn: Callable[[Connection], T], seen: watch.Write) -> T:
        lost = False
        for attempt in range(_ATTEMPTS):
            committing = False
            try:
                async with self._engine.connect() as connection:
                    seen.begun = seen.begun or perf_counter()
                    self._count_connections()
                    value = await connection.run_sync(fn)
                    committing = True
                    await connection.commit()
            except DBAPIError as error:
                # Before the commit was sent nothing can have happened; after it, only the caller's key tells.
                dead = _is_dead(error) and not (committing or lost)
                if (dead or _sqlstate(error) in _RETRIED) and attempt + 1 < _ATTEMPTS:
                    watch.ERRORS.labels("retried").inc()
                    lost = lost or dead
                    await asyncio.sleep(random.random() * _JITTER * 2**attempt)  # noqa: S311 - no secret
                    continue
                raise _translated(error) from error
            except (OSError, TimeoutError, NoConnectionFree) as error:
                raise Unavailable() from error
            for listener in self._listeners:
                listener()
            return value
        raise AssertionError("unreachable")

    def _count_connections(self) -> None:
        watch.IN_USE.set(self._pool.checkedout())

    async def read(self, fn: Callable[[Connection], T]) -> T:
        with self._reads.one():
            try:
                try:
                    return await self._read(fn)
                except DBAPIError as error:
                    if not _is_dead(error):
                        raise
                    watch.ERRORS.labels("retried").inc()
                    return await self._read(fn)
            except DBAPIError as error:
                raise _translated(error) from error
            except (OSError, TimeoutError, NoConnectionFree) as error:
                raise Unavailable() from error

    async def _read(self, fn: Callable[[Connection], T]) -> T:
        async with self._snapshots.connect() as connection:
            return await connection.run_sync(fn)

    async def scan(self, fn: Callable[[Connection], T]) -> T:
        return await self.read(fn)

    async def ping(self) -> None:
        await self.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    async def close(self) -> None:
        await self._engine.dispose()


def _noticed(task: asyncio.Future[Any]) -> None:
    """A caller that went away does not ask how it ended; asyncio would complain that nobody did."""
    if not task.cancelled():
        task.exception()


def _is_dead(error: DBAPIError) -> bool:
    """Whether the connection was lost, as all are when the server starts again; the next one is new."""
    return error.connection_invalidated or _sqlstate(error).startswith(("08", "57P"))


def _translated(error: DBAPIError) -> Exception:
    """A database that is away is `unavailable`; anything else is a fault of ours and stays what it is."""
    away = _sqlstate(error)[:2] in _AWAY
    if away or error.connection_invalidated or isinstance(error, (InterfaceError, OperationalError)):
        return Unavailable()
    return error
