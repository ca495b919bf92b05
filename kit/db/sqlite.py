"""SQLite: one writer thread per file that commits what waits as one group; reads on the loop's own connection.

A read by key costs some ten microseconds, less than a hop to a thread, and WAL readers never wait for the writer.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextvars import copy_context
from time import perf_counter
from typing import Any, TypeVar, cast

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import LRUCache

from kit.db import watch
from kit.db.room import MOST, Room
from kit.errors import Unavailable

T = TypeVar("T")
_GROUP = 256
_BRIEFLY = 0.25
"""Seconds that the event loop may stand still for somebody else's lock."""
_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_SUSPECT = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL})
"""After these a connection may be of no use any more."""
log = structlog.get_logger("sqlite")


class SharedDialect(SQLiteDialect_pysqlite):
    """All of a process are equal, so a statement that was compiled for one connection serves the others."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


registry.register("sqlite.shared", __name__, SharedDialect.__name__)
_COMPILED: LRUCache[Any, Any] = LRUCache(500)


def _engine(url: str, patience: float) -> Engine:
    # Parameters are users' texts: no error may quote them.
    engine = create_engine(
        make_url(url).set(drivername="sqlite+shared"),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": patience},
        hide_parameters=True,
        execution_options={"compiled_cache": _COMPILED},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={round(patience * 1000)}",
            "temp_store=MEMORY",
            "cache_size=-16000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


class _Handle:
    """A connection that is opened again after it broke. For one thread at a time."""

    def __init__(self, url: str, *, patience: float = 10.0) -> None:
        """`patience` is how many seconds it waits for another process's lock."""
        self._engine = _engine(url, patience)
        self._connection: Connection | None = None
        self.driver: sqlite3.Connection
        """The one below SQLAlchemy's: beginning and ending there costs a tenth of what it costs above."""

    def open(self) -> Connection:
        """Raises sqlite3.Error and SQLAlchemy's."""
        connection = self._connection
        if connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self.driver = cast(sqlite3.Connection, connection.connection.driver_connection)
            self._connection = connection
        return connection

    def snapshot(self, fn: Callable[[Connection], T]) -> T:
        """`fn` on one consistent state. Raises Unavailable."""
        try:
            connection = self.open()
            run = self.driver.execute
            run("BEGIN")
            try:
                value = fn(connection)
            except BaseException:
                self.settle()
                raise
            run("COMMIT")
            return value
        except (DBAPIError, sqlite3.Error) as error:
            self.settle(error)
            raise _translated(error) from error

    def settle(self, error: BaseException | None = None) -> None:
        """End the transaction that may be open after a fault; a connection that cannot do that, or whose file could
        not be worked on, is given up for a new one."""
        if self._connection is None:
            return
        try:
            _ = self.driver.total_changes  # raises when somebody has closed it
            if self.driver.in_transaction:
                self.driver.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()
        else:
            if _code(error) in _SUSPECT:
                self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def dispose(self) -> None:
        self.close()
        self._engine.dispose()


def _translated(error: DBAPIError | sqlite3.Error) -> Exception:
    """A file that cannot be read or written now is `unavailable`; anything else is a fault of ours and stays."""
    code = _code(error)
    # Without a code it is the driver's own: the connection is closed.
    return Unavailable() if code is None or code in _AWAY else error


def _code(error: BaseException | None) -> int | None:
    """SQLite's primary result code; None where there is none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


class _Work:
    __slots__ = ("begun", "context", "error", "fn", "future", "value")

    def __init__(self, fn: Callable[[Connection], Any], future: asyncio.Future[Any]) -> None:
        self.fn = fn
        # Events that it appends belong to its caller's trace.
        self.context = copy_context()
        self.begun = 0.0
        self.future = future
        self.value: Any = None
        self.error: BaseException | None = None


class SqliteDatabase:
    """See the module."""

    dialect = "sqlite"

    def __init__(self, url: str, *, most: int = MOST) -> None:
        """Of writes that wait or run there may be `most`."""
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Callable[[], None]] = []
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._room = Room(most)
        self._writer, self._reader, self._scanner = _Handle(url), _Handle(url, patience=_BRIEFLY), _Handle(url)
        # The writer comes first: it creates the file and puts it into WAL mode, which outlasts the connection.
        self._writer.open()
        self._reader.open()
        self._scanning = asyncio.Lock()
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()
        self._closed = False

    def on_commit(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        if self._closed:
            raise Unavailable("The database is closed")
        future: asyncio.Future[Any] = self._loop.create_future()
        work = _Work(fn, future)
        seen = watch.Write()
        try:
            with self._room.one():
                self._queue.put(work)
                # A caller that goes away cancels the future and nothing else: what is under way is not undone, and
                # what still waits is left out.
                return cast(T, await future)
        except Unavailable:
            watch.ERRORS.labels("unavailable").inc()
            raise
        finally:
            seen.begun = work.begun
            seen.end()

    async def read(self, fn: Callable[[Connection], T]) -> T:
        return self._reader.snapshot(fn)

    async def scan(self, fn: Callable[[Connection], T]) -> T:
        async with self._scanning:
            return await asyncio.to_thread(self._scanner.snapshot, fn)

    async def ping(self) -> None:
        await self.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        async with self._scanning:
            self._scanner.dispose()
        self._reader.dispose()

    def _run(self) -> None:
        stop = False
        while not stop:
            first = self._queue.get()
            if first is None:
                break
            group = [first]
            while len(group) < _GROUP:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    stop = True
                    break
                group.append(item)
            try:
                self._commit(group)
            except BaseException as error:
                # Without this thread nobody would ever write again.
                log.error("the writer failed", exc_info=error)
                failure = RuntimeError("a unit of work broke off")
                failure.__cause__ = error
                self._fail(group, failure)
                self._writer.settle()
            self._tell(group)
        self._writer.dispose()

    def _commit(self, group: list[_Work]) -> None:
        try:
            connection = self._writer.open()
            run = self._writer.driver.execute
            run("BEGIN IMMEDIATE")
            for work in group:
                if work.future.cancelled():
                    continue
                run("SAVEPOINT work")
                work.begun = perf_counter()
                try:
                    work.value = work.context.run(work.fn, connection)
                except Exception as error:
                    work.error = _translated(error) if isinstance(error, DBAPIError | sqlite3.Error) else error
                    if work.error is not error:
                        work.error.__cause__ = error
                    run("ROLLBACK TO work")
                run("RELEASE work")
            run("COMMIT")
        except Exception as error:
            self._fail(group, error)
            self._writer.settle(error)

    @staticmethod
    def _fail(group: list[_Work], error: BaseException) -> None:
        failure = error
        if isinstance(error, OperationalError | sqlite3.Error):
            failure = Unavailable()
            failure.__cause__ = error
        for work in group:
            work.error = failure

    def _tell(self, group: list[_Work]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._answer, group)
        except RuntimeError:
            pass  # The loop is closed: nobody waits any more.

    def _answer(self, group: list[_Work]) -> None:
        for work in group:
            if work.future.done():
                continue
            if work.error is None:
                work.future.set_result(work.value)
            else:
                work.future.set_exception(work.error)
        for listener in self._listeners:
            listener()
