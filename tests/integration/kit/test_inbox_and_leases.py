"""Versions and leases against clocks that are set, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update
from sqlalchemy.schema import CreateSchema

from kit.db.database import Database, open_database
from kit.db.inbox import Inbox
from kit.db.leases import Leases
from kit.times import DAY, SECOND, ManualClock
from tests.integration.kit.bus_rig import TABLES, metadata


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url, schema="bus")
    if opened.dialect != "sqlite":
        await opened.write(lambda c: c.execute(CreateSchema("bus")))
    await opened.write(metadata.create_all)
    yield opened
    await opened.close()


async def inbox_keys(db: Database) -> list[str]:
    key = TABLES.inbox.c.event_key
    return list(await db.read(lambda c: c.execute(select(key).order_by(key)).scalars().all()))


async def test_versions_are_forgotten_by_their_age_and_a_part_at_a_time(db: Database) -> None:
    clock = ManualClock()
    inbox = Inbox(TABLES, clock)
    for key in ("a", "b", "c"):
        await db.write(lambda c, key=key: inbox.advance(c, "session", key, 1))  # type: ignore[misc]
    clock.advance(seconds=5 * 86_400)
    # One that moved on counts from there; one that an older release wrote, from when it is first seen.
    await db.write(lambda c: inbox.advance(c, "session", "b", 2))
    await db.write(
        lambda c: c.execute(update(TABLES.inbox).where(TABLES.inbox.c.event_key == "c").values(updated_at=None))
    )
    clock.advance(seconds=4 * 86_400)
    assert await db.write(lambda c: inbox.prune(c, 8 * DAY, 1)) == 2
    assert await inbox_keys(db) == ["b", "c"]
    clock.advance(seconds=7 * 86_400)
    assert await db.write(lambda c: inbox.prune(c, 8 * DAY, 10)) == 1
    assert await inbox_keys(db) == ["c"]
    assert not await db.write(lambda c: inbox.advance(c, "session", "c", 1))


async def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(db: Database) -> None:
    clock, leases = ManualClock(), Leases(TABLES)

    async def take(holder: str) -> bool:
        now = clock.now()
        return await db.write(lambda c: leases.take(c, "relay", holder, now, now + 5 * SECOND))

    assert await take("a")
    assert not await take("b")
    # Machines whose clocks differ by less than the lease respect each other's.
    clock.jump(seconds=-4)
    assert not await take("b")
    clock.jump(seconds=-3600)
    assert await take("b")
    assert not await take("a")


async def test_a_lease_is_kept_until_somebody_else_has_taken_it(db: Database) -> None:
    leases = Leases(TABLES)

    async def keep(holder: str) -> bool:
        return await db.write(lambda c: leases.keep(c, "relay", holder))

    assert not await keep("a")
    assert await db.write(lambda c: leases.take(c, "relay", "a", 0, 5))
    assert (await keep("a"), await keep("b")) == (True, False)
    assert await db.write(lambda c: leases.take(c, "relay", "b", 5, 10))
    assert (await keep("a"), await keep("b")) == (False, True)
    await db.write(lambda c: leases.give_back(c, "relay", "b"))
    assert not await keep("b")
