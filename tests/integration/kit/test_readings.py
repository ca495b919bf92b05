"""Readings on real databases: shared ones are taken by one replica at a time, and none shows what is no longer so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, insert

from kit.bus.connection import Bus
from kit.db.database import Database, open_database
from kit.db.leases import Leases
from kit.db.tables import add_kit_tables
from kit.ids import RandomIds
from kit.telemetry import common, process
from kit.telemetry.metrics import Gauge
from kit.telemetry.readings import AGE, FAILURES, Reading, Readings
from kit.times import SECOND, ManualClock

metadata = MetaData()
TABLES = add_kit_tables(metadata)
FIGURE = Gauge("test_figure", "For this test.")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'r.db'}"
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    found = open_database(url, schema="r")
    yield found
    await found.close()


class Replica:
    """One process's readings of one figure."""

    def __init__(self, db: Database, clock: ManualClock, value: float, every: float = 10.0) -> None:
        self.value = value
        self.failing = False
        self.taken = 0
        self.reading = Reading("figure", every, self._take, (FIGURE,), shared=True)
        self.readings = Readings([self.reading], db=db, leases=Leases(TABLES), clock=clock, ids=RandomIds(clock))

    async def _take(self) -> None:
        if self.failing:
            raise ConnectionError
        self.taken += 1
        FIGURE.set(self.value)

    async def take(self) -> dict[tuple[str, ...], float]:
        await self.readings.take(self.reading)
        return {labels: cell.value for labels, cell in FIGURE.cells.items()}


async def test_a_rare_reading_does_not_wait_long_for_a_replica_that_died(db: Database) -> None:
    clock = ManualClock()
    first, second = (Replica(db, clock, value, every=300.0) for value in (1.0, 2.0))
    assert await first.take() == {(): 1.0}
    clock.advance(seconds=359)
    assert await second.take() == {}
    clock.advance(seconds=2)
    assert await second.take() == {(): 2.0}


async def test_one_replica_takes_a_shared_reading(db: Database) -> None:
    clock = ManualClock()
    first, second = Replica(db, clock, 1.0), Replica(db, clock, 2.0)
    assert await first.take() == {(): 1.0}
    assert await second.take() == {}
    assert (first.taken, second.taken) == (1, 0)
    clock.advance(seconds=60)
    assert await second.take() == {(): 2.0}
    assert await first.take() == {}


async def test_a_reading_that_fails_shows_nothing(db: Database) -> None:
    replica = Replica(db, ManualClock(), 1.0)
    await replica.take()
    before = FAILURES.labels("figure").value
    replica.failing = True
    assert await replica.take() == {}
    assert FAILURES.labels("figure").value == before + 1
    assert ("figure",) not in AGE.cells


async def test_the_outbox_s_age_is_that_of_its_oldest_unpublished_event(db: Database, tmp_path: Path) -> None:
    clock = ManualClock()
    now = clock.now()

    def add(name: str, age: int, published: bool, refused: bool = False) -> dict[str, object]:
        return {
            "subject": "s", "event_id": name, "event_type": "t", "event_key": "k", "payload": b"",
            "created_at": now - age * SECOND, "published_at": now if published else None,
            "set_aside_at": now if refused else None,
        }  # fmt: skip

    rows = [add("a", 900, True), add("b", 90, False), add("c", 30, False), add("d", 300, False, refused=True)]
    await db.write(lambda conn: conn.execute(insert(TABLES.outbox), rows))
    readings = common.common(
        db=db, tables=TABLES, bus=Bus("nats://127.0.0.1:1", name="t"), clock=clock, volumes={"database": tmp_path}
    )
    for reading in readings:
        await reading.take()
    assert common.UNPUBLISHED.labels().value == 2
    assert common.OLDEST.labels().value == 90
    assert common.SET_ASIDE.labels().value == 1
    assert common.CONNECTED.labels().value == 0
    assert common.DB_UP.labels().value == 1
    assert 0 < process.FREE.labels("database").value < process.SIZE.labels("database").value
