"""Events go from the outbox to their consumers once each in effect, whatever happens to the broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine

from kit.bus.connection import Bus
from kit.bus.consumer import Consumer, Received
from kit.bus.relay import Relay
from kit.db.database import Database, open_database
from kit.db.inbox import Inbox
from kit.db.leases import Leases
from kit.db.outbox import Event, Outbox
from kit.db.tables import add_kit_tables
from kit.ids import RandomIds
from kit.tasks import end
from kit.times import SystemClock
from tests.support.nats import NatsServer

metadata = MetaData()
TABLES = add_kit_tables(metadata)
CLOCK = SystemClock()
IDS = RandomIds(CLOCK)


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'bus.db'}"
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    opened = open_database(url, schema="bus")
    yield opened
    await opened.close()


class Applied:
    """What a consumer's effects come to: each (key, version) once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._inbox = Inbox(TABLES)
        self.deliveries = 0
        self.effects: list[tuple[str, int]] = []
        self._changed = asyncio.Condition()

    async def handle(self, received: Received) -> None:
        version = int(received.payload)
        news = await self._db.write(lambda c: self._inbox.advance(c, received.source, received.key, version))
        async with self._changed:
            self.deliveries += 1
            if news:
                self.effects.append((received.key, version))
            self._changed.notify_all()

    async def until(self, *, effects: int, deliveries: int = 0) -> None:
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: len(self.effects) >= effects and self.deliveries >= deliveries)


class Rig:
    """A bus with a relay and a consumer on one database."""

    def __init__(self, nats: NatsServer, db: Database) -> None:
        self.bus = Bus(nats.url, name="test")
        self.outbox = Outbox(TABLES)
        self.applied = Applied(db)
        self._db = db
        self._relay = Relay(
            db=db, outbox=self.outbox, leases=Leases(TABLES), bus=self.bus, clock=CLOCK, ids=IDS, source="prsm/test",
            poll=0.05, check=50_000,
        )  # fmt: skip
        self._consumer = Consumer(
            self.bus, durable="test", subjects=["prsm.events.test.>"], handler=self.applied.handle, wait=0.5
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Rig:
        self.bus.start()
        self._tasks = [asyncio.create_task(self._relay.run()), asyncio.create_task(self._consumer.run())]
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._tasks)
        await self.bus.close()

    async def append(self, key: str, *versions: int) -> None:
        events = [
            Event(IDS.new(), "test.happened", "prsm.events.test.happened", key, str(v).encode(), CLOCK.now())
            for v in versions
        ]
        await self._db.write(lambda c: self.outbox.append(c, events))


async def test_events_arrive_in_order_and_leave_no_work_behind(nats: NatsServer, db: Database) -> None:
    async with Rig(nats, db) as rig:
        await rig.append("a", *range(1, 301))
        await rig.applied.until(effects=300)
        assert rig.applied.effects[-1] == ("a", 300)


async def test_a_wiped_broker_is_rebuilt_from_the_outbox_without_a_second_effect(
    nats: NatsServer, db: Database
) -> None:
    async with Rig(nats, db) as rig:
        await rig.append("a", 1)
        await rig.append("b", 1)
        await rig.applied.until(effects=2)
        await nats.stop()
        nats.wipe()
        await rig.append("a", 2)
        await nats.start()
        # All three are published again; only the new one is news.
        await rig.applied.until(effects=3, deliveries=5)
        assert sorted(rig.applied.effects) == [("a", 1), ("a", 2), ("b", 1)]


async def test_a_failing_handler_gets_its_event_again(nats: NatsServer, db: Database) -> None:
    seen: list[str] = []
    again = asyncio.Event()

    async def stubborn(received: Received) -> None:
        seen.append(received.id)
        if len(seen) == 1:
            raise RuntimeError("not yet")
        again.set()

    async with Rig(nats, db) as rig:
        consumer = Consumer(rig.bus, durable="stubborn", subjects=["prsm.events.test.>"], handler=stubborn)
        task = asyncio.create_task(consumer.run())
        await rig.append("a", 1)
        await asyncio.wait_for(again.wait(), 30)
        await end([task])
    assert len(set(seen)) == 1
