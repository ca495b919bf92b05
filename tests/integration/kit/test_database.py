"""The database seam keeps its promises on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, create_engine, func, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from kit.db.database import Database, open_database
from kit.db.idempotency import IdempotencyStore, Replay, Ticket
from kit.db.inbox import Inbox
from kit.db.leases import Leases
from kit.db.outbox import Event, Outbox
from kit.db.postgres import PostgresDatabase
from kit.db.tables import KitTables, add_kit_tables
from kit.errors import IdempotencyKeyInUse, IdempotencyKeyReused, Unavailable
from kit.ids import RandomIds
from kit.times import SECOND, ManualClock

metadata = MetaData()
TABLES: KitTables = add_kit_tables(metadata)


async def _create(url: str) -> None:
    if url.startswith("sqlite"):
        engine = create_engine(url)
        metadata.create_all(engine)
        engine.dispose()
        return
    asynchronous = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with asynchronous.begin() as connection:
        await connection.execute(text("CREATE SCHEMA kit"))
        await connection.execute(text("SET LOCAL search_path TO kit"))
        await connection.run_sync(metadata.create_all)
    await asynchronous.dispose()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    await _create(database_url)
    opened = open_database(database_url, schema="kit")
    yield opened
    await opened.close()


def event(number: int) -> Event:
    return Event(f"id-{number}", "t.happened", "prsm.events.t.happened", "key", b"payload", number)


async def test_a_failed_function_leaves_nothing_and_spoils_nobody_elses(db: Database) -> None:
    outbox = Outbox(TABLES)

    def fails(connection: Connection) -> None:
        outbox.append(connection, [event(1)])
        raise RuntimeError("after the insert")

    outcomes = await asyncio.gather(
        db.write(lambda c: outbox.append(c, [event(2)])),
        db.write(fails),
        db.write(lambda c: outbox.append(c, [event(3)])),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), RuntimeError, type(None)]
    rows = await db.read(lambda c: outbox.unpublished(c, 10))
    assert sorted(row.event.id for row in rows) == ["id-2", "id-3"]


async def test_a_read_sees_one_snapshot_and_what_was_written_before(db: Database) -> None:
    def count(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(TABLES.outbox)).scalar_one()

    def append(number: int, connection: Connection) -> None:
        Outbox(TABLES).append(connection, [event(number)])

    for number in range(5):
        await db.write(partial(append, number))
        assert await db.read(count) == number + 1


async def test_scans_see_what_was_written_and_run_beside_reads(db: Database) -> None:
    outbox = Outbox(TABLES)
    await db.write(lambda c: outbox.append(c, [event(n) for n in range(3)]))
    found = await asyncio.gather(
        db.scan(lambda c: len(outbox.unpublished(c, 10))),
        db.read(lambda c: len(outbox.unpublished(c, 10))),
        db.scan(lambda c: len(outbox.unpublished(c, 2))),
    )
    assert list(found) == [3, 3, 2]


async def test_commits_wake_their_listeners(db: Database) -> None:
    woken = asyncio.Event()
    db.on_commit(woken.set)
    await db.write(lambda c: None)
    await asyncio.wait_for(woken.wait(), 60)


async def test_a_lower_id_that_commits_later_is_still_published(db: Database) -> None:
    outbox = Outbox(TABLES)
    await db.write(lambda c: outbox.append(c, [event(n) for n in range(4)]))
    rows = await db.read(lambda c: outbox.unpublished(c, 10))
    await db.write(lambda c: outbox.mark_published(c, {rows[1].row: 1, rows[3].row: 2}, 7))
    left = await db.read(lambda c: outbox.unpublished(c, 10))
    assert [row.event.id for row in left] == ["id-0", "id-2"]
    again = await db.write(lambda c: outbox.republish_since(c, 2))
    assert again == 1
    assert [row.event.id for row in await db.read(lambda c: outbox.unpublished(c, 10))] == ["id-0", "id-2", "id-3"]


async def test_the_inbox_takes_only_what_is_news(db: Database) -> None:
    inbox = Inbox(TABLES)
    taken = [await db.write(lambda c, v=v: inbox.advance(c, "session", "s1", v)) for v in (1, 3, 2, 3, 4)]  # type: ignore[misc]
    assert taken == [True, True, False, False, True]
    assert await db.write(lambda c: inbox.advance(c, "session", "s2", 1))


async def test_a_lease_has_one_holder_until_it_runs_out(db: Database) -> None:
    leases = Leases(TABLES)
    assert await db.write(lambda c: leases.take(c, "relay", "a", 0, 10))
    assert not await db.write(lambda c: leases.take(c, "relay", "b", 5, 15))
    assert await db.write(lambda c: leases.take(c, "relay", "a", 5, 20))
    assert await db.write(lambda c: leases.take(c, "relay", "b", 20, 30))
    await db.write(lambda c: leases.give_back(c, "relay", "b"))
    assert await db.write(lambda c: leases.take(c, "relay", "a", 21, 30))


def store(db: Database, clock: ManualClock) -> IdempotencyStore:
    return IdempotencyStore(db, TABLES, clock, RandomIds(clock), wait=0.02, poll=0.01)


async def test_who_waits_for_the_first_request_writes_nothing(db: Database) -> None:
    keys = store(db, ManualClock())
    await keys.begin("alice", "M", "k", "same")
    commits: list[None] = []
    db.on_commit(lambda: commits.append(None))
    with pytest.raises(IdempotencyKeyInUse):
        await keys.begin("alice", "M", "k", "same")
    # The claim that found it under way.
    assert len(commits) == 1


async def test_one_key_has_one_effect_and_one_answer(db: Database) -> None:
    clock = ManualClock()
    keys = store(db, clock)
    first = await keys.begin("alice", "M", "k", "same")
    assert isinstance(first, Ticket)
    with pytest.raises(IdempotencyKeyInUse):
        await keys.begin("alice", "M", "k", "same")
    with pytest.raises(IdempotencyKeyReused):
        await keys.begin("alice", "M", "k", "other")
    await db.write(lambda c: first.record(c, b"answer", "/there"))
    assert await keys.begin("alice", "M", "k", "same") == Replay(b"answer", "/there")
    assert isinstance(await keys.begin("bob", "M", "k", "same"), Ticket)


async def test_a_refused_request_frees_its_key(db: Database) -> None:
    keys = store(db, ManualClock())
    first = await keys.begin("alice", "M", "k", "one")
    assert isinstance(first, Ticket)
    await keys.abandon(first)
    assert isinstance(await keys.begin("alice", "M", "k", "two"), Ticket)


async def test_a_transaction_that_fails_after_its_record_frees_the_key_too(db: Database) -> None:
    keys = store(db, ManualClock())
    ticket = await keys.begin("alice", "M", "k", "one")
    assert isinstance(ticket, Ticket)

    def fails(connection: Connection) -> None:
        ticket.record(connection, b"answer")
        raise RuntimeError("after the record")

    with pytest.raises(RuntimeError):
        await db.write(fails)
    await keys.abandon(ticket)
    assert isinstance(await keys.begin("alice", "M", "k", "two"), Ticket)


async def test_a_recorded_answer_is_not_forgotten(db: Database) -> None:
    keys = store(db, ManualClock())
    ticket = await keys.begin("alice", "M", "k", "one")
    assert isinstance(ticket, Ticket)
    await db.write(lambda c: ticket.record(c, b"answer"))
    await keys.abandon(ticket)
    assert await keys.begin("alice", "M", "k", "one") == Replay(b"answer", "")


async def test_a_dead_request_is_taken_over_and_cannot_answer_late(db: Database) -> None:
    clock = ManualClock()
    keys = store(db, clock)
    dead = await keys.begin("alice", "M", "k", "same")
    assert isinstance(dead, Ticket)
    clock.advance(seconds=6)
    heir = await keys.begin("alice", "M", "k", "same")
    assert isinstance(heir, Ticket)
    with pytest.raises(IdempotencyKeyInUse):
        await db.write(lambda c: dead.record(c, b"late", ""))
    await db.write(lambda c: heir.record(c, b"answer", ""))
    assert await keys.begin("alice", "M", "k", "same") == Replay(b"answer", "")


async def test_a_request_that_is_worked_on_is_not_taken_over(db: Database) -> None:
    clock = ManualClock()
    keys = IdempotencyStore(db, TABLES, clock, RandomIds(clock), renew=0.001, wait=0.02, poll=0.01)
    ticket = await keys.begin("alice", "M", "k", "same")
    assert isinstance(ticket, Ticket)
    async with keys.held(ticket):
        for _ in range(3):
            clock.advance(seconds=4)
            await _lease_until(db, clock.now() + 5 * SECOND)
            with pytest.raises(IdempotencyKeyInUse):
                await keys.begin("alice", "M", "k", "same")
    clock.advance(seconds=6)
    assert isinstance(await keys.begin("alice", "M", "k", "same"), Ticket)


async def _lease_until(db: Database, moment: int) -> None:
    leases = select(TABLES.idempotency.c.lease_until)
    async with asyncio.timeout(60):
        while True:
            if await db.read(lambda c: c.execute(leases).scalar_one()) == moment:
                return
            await asyncio.sleep(0)


async def test_a_lease_that_ran_out_is_not_revived(db: Database) -> None:
    clock = ManualClock()
    keys = store(db, clock)
    ticket = await keys.begin("alice", "M", "k", "same")
    assert isinstance(ticket, Ticket)
    clock.advance(seconds=6)
    await keys.extend(ticket)
    assert isinstance(await keys.begin("alice", "M", "k", "same"), Ticket)


async def test_a_clock_that_is_set_back_keeps_no_key_from_its_retry(db: Database) -> None:
    clock = ManualClock()
    keys = store(db, clock)
    dead = await keys.begin("alice", "M", "k", "same")
    assert isinstance(dead, Ticket)
    clock.jump(seconds=-4)
    # Another machine's clock may be that far ahead.
    with pytest.raises(IdempotencyKeyInUse):
        await keys.begin("alice", "M", "k", "same")
    clock.jump(seconds=-86400)
    heir = await keys.begin("alice", "M", "k", "same")
    assert isinstance(heir, Ticket)
    with pytest.raises(IdempotencyKeyInUse):
        await db.write(lambda c: dead.record(c, b"late", ""))
    await db.write(lambda c: heir.record(c, b"answer", ""))


async def test_who_is_at_work_lives_through_a_clock_that_is_set_back(db: Database) -> None:
    clock = ManualClock()
    keys = store(db, clock)
    ticket = await keys.begin("alice", "M", "k", "same")
    assert isinstance(ticket, Ticket)
    clock.jump(seconds=-86400)
    await keys.extend(ticket)
    with pytest.raises(IdempotencyKeyInUse):
        await keys.begin("alice", "M", "k", "same")


async def test_a_refusal_while_it_is_worked_on_frees_the_key(db: Database) -> None:
    keys = store(db, ManualClock())
    ticket = await keys.begin("alice", "M", "k", "one")
    assert isinstance(ticket, Ticket)
    with pytest.raises(Unavailable):
        async with keys.held(ticket):
            raise Unavailable()
    assert isinstance(await keys.begin("alice", "M", "k", "two"), Ticket)


async def test_two_at_once_have_one_effect(db: Database) -> None:
    keys = store(db, ManualClock())
    outcomes = await asyncio.gather(*(keys.begin("alice", "M", "k", "same") for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(outcome, Ticket) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, IdempotencyKeyInUse) for outcome in outcomes) == 7


async def test_sqlite_commits_are_durable_and_group(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    await _create(url)
    first = open_database(url, schema="kit")
    outbox = Outbox(TABLES)
    await asyncio.gather(*(first.write(lambda c, n=n: outbox.append(c, [event(n)])) for n in range(200)))  # type: ignore[misc]
    await first.close()
    second = open_database(url, schema="kit")
    assert len(await second.read(lambda c: outbox.unpublished(c, 500))) == 200
    await second.close()


async def test_a_pool_that_is_exhausted_is_an_outage(postgres_url: str) -> None:
    db = PostgresDatabase(postgres_url, schema="kit", pool_size=1, pool_timeout=0.01)
    holder = asyncio.create_task(db.write(lambda c: c.execute(text("SELECT pg_sleep(1)")).scalar()))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await asyncio.gather(*(db.read(lambda c: None) for _ in range(2)))
    await holder
    await db.close()


async def test_a_transaction_of_a_host_that_vanished_is_given_up(postgres_url: str) -> None:
    db = PostgresDatabase(postgres_url, schema="kit")
    names = ("idle_in_transaction_session_timeout", "tcp_user_timeout", "tcp_keepalives_idle")

    def read(connection: Connection) -> dict[str, str]:
        found = connection.execute(
            text("SELECT name, reset_val FROM pg_settings WHERE name = ANY(:names)"), {"names": list(names)}
        )
        return {row.name: row.reset_val for row in found}

    assert await db.read(read) == dict.fromkeys(names[:2], "5000") | {"tcp_keepalives_idle": "5"}
    await db.close()


async def test_a_writer_that_breaks_is_replaced(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'broken.db'}"
    await _create(url)
    db = open_database(url, schema="kit")

    def breaks(connection: Connection) -> None:
        connection.connection.driver_connection.close()  # type: ignore[union-attr]

    with pytest.raises(Unavailable):
        await asyncio.wait_for(db.write(breaks), 60)
    await asyncio.wait_for(db.write(lambda c: None), 60)
    await asyncio.wait_for(db.close(), 60)
