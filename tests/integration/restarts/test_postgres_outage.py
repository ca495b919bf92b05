"""A PostgreSQL that stops, dies, refuses or freezes: `unavailable` while it is away, and no fault once it is back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from time import monotonic

import asyncpg
import pytest
from sqlalchemy import Connection, text

from kit.db.postgres import PostgresDatabase
from kit.errors import Unavailable
from tests.integration.restarts.conftest import Interruptible

_POOL = 5


@pytest.fixture
async def db(postgres: Interruptible) -> AsyncIterator[PostgresDatabase]:
    await postgres.execute("DROP SCHEMA IF EXISTS kit CASCADE", "CREATE SCHEMA kit", "CREATE TABLE kit.t (v INT)")
    opened = PostgresDatabase(postgres.url, schema="kit", pool_size=_POOL, pool_timeout=60)
    await fill(opened)
    yield opened
    await opened.close()


def put(connection: Connection) -> int:
    connection.execute(text("INSERT INTO t VALUES (1)"))
    return 1


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM t")).scalar_one())


def rest(connection: Connection) -> None:
    connection.execute(text("SELECT pg_sleep(0.05)"))


async def refusal(db: PostgresDatabase) -> str:
    """Why it is away; "" when it is not."""
    try:
        await db.read(lambda c: c.execute(text("SELECT 1")))
    except Unavailable as error:
        return repr(error.__cause__)
    return ""


async def fill(db: PostgresDatabase) -> None:
    """Have all the connections open that the pool may have."""
    await asyncio.gather(*(db.read(rest) for _ in range(_POOL)))


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_after_a_restart_every_pooled_connection_is_dead_and_no_call_fails(
    postgres: Interruptible, db: PostgresDatabase, how: str
) -> None:
    if how == "killed":
        await postgres.killed()
    else:
        await postgres.down()
        await postgres.up()
    reads = [db.read(count) for _ in range(_POOL)]
    writes = [db.write(put) for _ in range(_POOL)]
    await asyncio.gather(*reads, *writes)
    assert await db.read(count) == _POOL


async def test_one_dead_connection_among_good_ones_fails_nobody(postgres: Interruptible, db: PostgresDatabase) -> None:
    await postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'prsm-kit'")
    assert await asyncio.gather(*(db.write(put) for _ in range(2 * _POOL))) == [1] * 2 * _POOL
    assert await db.read(count) == 2 * _POOL


async def test_while_it_is_away_calls_are_refused_and_then_it_is_there_again(
    postgres: Interruptible, db: PostgresDatabase
) -> None:
    await postgres.down()
    for call in (db.read, db.scan, db.write):
        with pytest.raises(Unavailable):
            await call(count)
    with pytest.raises(Unavailable):
        await db.ping()
    await postgres.up()
    assert await db.write(put) == 1
    assert await db.read(count) == 1


async def test_one_that_is_ending_refuses_new_connections_and_that_is_an_outage(postgres: Interruptible) -> None:
    held = await asyncpg.connect(postgres.url)
    assert postgres.pid is not None
    # Waits for its clients, and takes no new ones.
    postgres._process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]
    fresh = PostgresDatabase(postgres.url, schema="kit")
    try:
        async with asyncio.timeout(60):
            cause = ""
            while "CannotConnectNow" not in cause:
                cause = await refusal(fresh)
    finally:
        await fresh.close()
        held.terminate()
    await postgres.answering()


async def test_a_transaction_that_was_cut_off_before_its_commit_is_run_again(
    postgres: Interruptible, db: PostgresDatabase
) -> None:
    runs = 0

    def cut_off_once(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        put(connection)
        if runs == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await db.write(cut_off_once)
    assert (runs, await db.read(count)) == (2, 1)


async def test_a_database_that_cuts_off_time_and_again_is_away(postgres: Interruptible, db: PostgresDatabase) -> None:
    def cut_off(connection: Connection) -> None:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    for call in (db.read, db.write):
        with pytest.raises(Unavailable):
            await call(cut_off)
    assert await db.write(put) == 1


async def test_a_frozen_one_holds_nobody_past_their_time_and_what_waits_is_bounded(
    postgres: Interruptible,
) -> None:
    db = PostgresDatabase(postgres.url, schema="kit", pool_size=2, pool_timeout=0.2, longest=0.5, most=20)
    await asyncio.gather(db.read(rest), db.read(rest))
    begun = monotonic()
    with postgres.frozen():
        calls = [db.read(count) for _ in range(1000)] + [db.write(put) for _ in range(1000)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    # One after the other they would take eight minutes.
    assert monotonic() - begun < 120
    async with asyncio.timeout(60):
        # Half a second for a statement is little where the machine is busy.
        while await refusal(db):
            pass
    assert db._pool.checkedout() == 0
    await db.close()


async def test_who_gives_up_on_a_frozen_one_leaves_no_connection_behind(postgres: Interruptible) -> None:
    db = PostgresDatabase(postgres.url, schema="kit", pool_size=2, pool_timeout=60, longest=60)
    await asyncio.gather(db.read(rest), db.read(rest))
    with postgres.frozen():
        calls = [asyncio.create_task(db.read(count)) for _ in range(2)]
        await asyncio.wait(calls, timeout=0.05)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    await asyncio.gather(*(db.write(put) for _ in range(4)))
    assert db._pool.checkedout() == 0
    await db.close()
