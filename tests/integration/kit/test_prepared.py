"""Prepared statements mean the same on SQLite, where they run on the driver, and on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from kit.db.database import Database
from kit.db.prepared import Statement
from kit.db.upsert import insert_for
from tests.integration.kit.test_database import TABLES
from tests.integration.kit.test_database import db as db

t = TABLES.leases
INSERT = Statement(insert(t), t.c.keys())
UNLESS_THERE = Statement(lambda c: insert_for(c, t).on_conflict_do_nothing(index_elements=["name"]), t.c.keys())
MOVE = Statement(
    update(t)
    .where(t.c.holder == bindparam("by"), t.c.until < 100)
    .values(until=t.c.until + bindparam("step"))
    .returning(t.c.name, t.c.until)
)
ALL = Statement(select(t.c.name, t.c.until).order_by(t.c.name))
ROWS = [{"name": name, "holder": "me", "until": until} for name, until in (("a", 1), ("b", 2), ("c", 100))]


@pytest.fixture
async def filled(db: Database) -> Database:
    await db.write(lambda c: INSERT.run_many(c, ROWS))
    return db


async def test_it_tells_how_many_rows_were_written(filled: Database) -> None:
    fresh = {"name": "d", "holder": "me", "until": 3}
    assert [await filled.write(lambda c: UNLESS_THERE.run(c, fresh)) for _ in range(2)] == [1, 0]


async def test_returned_rows_are_those_that_matched(filled: Database) -> None:
    moved = await filled.write(lambda c: MOVE.all(c, {"by": "me", "step": 5}))
    assert sorted(tuple(row) for row in moved) == [("a", 6), ("b", 7)]
    assert await filled.write(lambda c: MOVE.first(c, {"by": "you", "step": 5})) is None
    assert [tuple(row) for row in await filled.read(lambda c: ALL.all(c, {}))] == [("a", 6), ("b", 7), ("c", 100)]


async def test_a_breach_is_sqlalchemys_error_and_leaves_nothing(filled: Database) -> None:
    def breach(connection: Connection) -> None:
        INSERT.run(connection, {"name": "e", "holder": "me", "until": 4})
        INSERT.run(connection, ROWS[0])

    with pytest.raises(IntegrityError):
        await filled.write(breach)
    assert len(await filled.read(lambda c: ALL.all(c, {}))) == len(ROWS)


async def test_a_list_in_in_is_refused_before_it_can_go_wrong(db: Database) -> None:
    listed = Statement(select(t.c.name).where(t.c.name.in_(bindparam("names", expanding=True))))
    if db.dialect == "sqlite":
        with pytest.raises(TypeError):
            await db.read(lambda c: listed.all(c, {"names": ["a"]}))
    else:
        assert await db.read(lambda c: listed.all(c, {"names": ["a"]})) == []
