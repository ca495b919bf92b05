"""A database file that cannot be written or read for a while: refused as `unavailable`, and working again after it."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from kit.db.sqlite import SqliteDatabase
from kit.errors import Unavailable

_LARGE = "x" * 200_000


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(f"sqlite:///{tmp_path / 'test.db'}")
    await opened.write(lambda c: c.execute(text("CREATE TABLE t (v TEXT NOT NULL)")))
    yield opened
    await opened.close()


def put(connection: Connection, value: str = "small") -> None:
    connection.execute(text("INSERT INTO t VALUES (:v)"), {"v": value})


def put_large(connection: Connection) -> None:
    put(connection, _LARGE)


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM t")).scalar_one())


@contextmanager
def full_disk(room: int = 100_000) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_refuses_writes_and_nothing_else(db: SqliteDatabase) -> None:
    await db.write(put)
    with full_disk():
        outcomes = await asyncio.gather(*(db.write(put_large) for _ in range(3)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
        assert await db.read(count) == await db.scan(count) == 1
    await db.write(put_large)
    assert await db.read(count) == 2


async def test_a_database_that_may_not_grow_refuses_the_writes_that_need_it(db: SqliteDatabase) -> None:
    def limit(connection: Connection, pages: int) -> None:
        connection.connection.driver_connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[union-attr]

    await db.write(lambda c: limit(c, 4))
    outcomes = await asyncio.gather(db.write(put), db.write(put_large), db.write(put), return_exceptions=True)
    assert isinstance(outcomes[1], Unavailable)
    await db.write(lambda c: limit(c, 1_000_000))
    await db.write(put_large)
    assert await db.read(count) == outcomes.count(None) + 1


async def test_a_lock_of_another_process_is_an_outage_until_it_is_gone(db: SqliteDatabase, tmp_path: Path) -> None:
    await db.write(lambda c: c.connection.driver_connection.execute("PRAGMA busy_timeout=1"))  # type: ignore[union-attr]
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable):
        await db.write(put)
    assert await db.read(count) == 0
    other.execute("ROLLBACK")
    other.close()
    await db.write(put)
    assert await db.read(count) == 1


async def test_reads_find_a_new_connection_after_theirs_broke(db: SqliteDatabase) -> None:
    def breaks(connection: Connection) -> None:
        connection.connection.driver_connection.close()  # type: ignore[union-attr]
        count(connection)

    for read in (db.read, db.scan):
        with pytest.raises(Unavailable):
            await read(breaks)
        assert await read(count) == 0


async def test_a_fault_in_a_read_leaves_no_transaction_open(db: SqliteDatabase) -> None:
    def fails(connection: Connection) -> None:
        count(connection)
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        await db.read(fails)
    await db.write(put)
    assert await db.read(count) == 1


async def test_a_wrong_statement_is_a_fault_of_ours_and_no_outage(db: SqliteDatabase) -> None:
    for call in (db.read, db.write):
        with pytest.raises(Exception, match="no such table"):
            await call(lambda c: c.execute(text("SELECT * FROM nowhere")).all())


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_nothing_ends_the_writer(db: SqliteDatabase, error: BaseException) -> None:
    def fails(connection: Connection) -> None:
        put(connection)
        raise error

    with pytest.raises(RuntimeError, match="broke off"):
        await db.write(fails)
    await db.write(put)
    assert await db.read(count) == 1


async def test_a_transaction_ended_behind_its_back_is_begun_anew(db: SqliteDatabase) -> None:
    with pytest.raises(Unavailable):
        await db.write(lambda c: c.connection.driver_connection.execute("ROLLBACK"))  # type: ignore[union-attr]
    await db.write(put)
    assert await db.read(count) == 1


async def test_what_waits_is_bounded_and_who_has_left_is_not_waited_for(tmp_path: Path) -> None:
    db = SqliteDatabase(f"sqlite:///{tmp_path / 'small.db'}", most=3)
    await db.write(lambda c: c.execute(text("CREATE TABLE t (v TEXT NOT NULL)")))
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        begun.set()
        go_on.wait(20)

    running = asyncio.create_task(db.write(slow))
    await asyncio.to_thread(begun.wait, 20)
    leaving, staying = asyncio.create_task(db.write(put)), asyncio.create_task(db.write(put))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="too much"):
        await db.write(put)
    leaving.cancel()
    await asyncio.wait([leaving])
    go_on.set()
    await asyncio.gather(running, staying)
    assert await db.read(count) == 1
    await db.close()
