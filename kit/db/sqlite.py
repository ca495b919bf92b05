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

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from kit.db import watch
from kit.errors import Unavailable

T = TypeVar("T")
_GROUP = 256


def _engine(url: str) -> Engine:
    # Parameters are users' texts: no error may quote them.
    engine = create_engine(
        url, poolclass=StaticPool, connect_args={"check_same_thread": False, "timeout": 10.0}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "temp_store=MEMORY",
            "cache_size=-16000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _driver(connection: Connection) -> sqlite3.Connection:
    """The connection below SQLAlchemy's: beginning and ending there costs a tenth of what it costs above."""
    return cast(sqlite3.Connection, connection.connection.driver_connection)


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

    def __init__(self, url: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Callable[[], None]] = []
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        # The writer comes first: it creates the file and puts it into WAL mode, which outlasts the connection.
        self._write_engine = _engine(url)
        self._writer_connection = self._write_engine.connect()
        self._read_engine = _engine(url)
        self._scan_engine = _engine(url)
        self._scanner: Connection | None = None
        self._scanning = asyncio.Lock()
        self._reader = self._read_engine.connect().execution_options(isolation_level="AUTOCOMMIT")
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
        self._queue.put(work)
        try:
            # A caller that goes away cancels the future and nothing else: what is under way is not undone.
            return cast(T, await future)
        except Unavailable:
            watch.ERRORS.labels("unavailable").inc()
            raise
        finally:
            seen.begun = work.begun
            seen.end()

    async def read(self, fn: Callable[[Connection], T]) -> T:
        reader = self._reader
        run = _driver(reader).execute
        run("BEGIN")
        try:
            return fn(reader)
        finally:
            run("COMMIT")

    async def scan(self, fn: Callable[[Connection], T]) -> T:
        async with self._scanning:
            return await asyncio.to_thread(self._scan, fn)

    def _scan(self, fn: Callable[[Connection], T]) -> T:
        if self._scanner is None:
            self._scanner = self._scan_engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        run = _driver(self._scanner).execute
        run("BEGIN")
        try:
            return fn(self._scanner)
        finally:
            run("COMMIT")

    async def ping(self) -> None:
        await self.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        async with self._scanning:
            if self._scanner is not None:
                self._scanner.close()
        self._scan_engine.dispose()
        self._reader.close()
        self._read_engine.dispose()

    def _run(self) -> None:
        connection = self._writer_connection.execution_options(isolation_level="AUTOCOMMIT")
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
            self._commit(connection, group)
        self._writer_connection.close()
        self._write_engine.dispose()

    def _commit(self, connection: Connection, group: list[_Work]) -> None:
        run = _driver(connection).execute
        try:
            run("BEGIN IMMEDIATE")
            for work in group:
                run("SAVEPOINT work")
                work.begun = perf_counter()
                try:
                    work.value = work.context.run(work.fn, connection)
                except Exception as error:
                    work.error = error
                    run("ROLLBACK TO work")
                run("RELEASE work")
            run("COMMIT")
        except Exception as error:
            failure: BaseException = error
            if isinstance(error, (OperationalError, sqlite3.Error)):
                failure = Unavailable()
                failure.__cause__ = error
            for work in group:
                work.error = failure
            try:
                run("ROLLBACK")
            except sqlite3.Error:
                pass  # The failed statement had ended the transaction already, or the connection is beyond help.
        self._loop.call_soon_threadsafe(self._answer, group)

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
