"""Events go from the outbox to their consumers once each in effect, whatever happens to the broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from nats.js.api import StreamInfo
from sqlalchemy import Connection, MetaData, create_engine, select

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
from kit.times import DAY, HOUR, SystemClock
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


def happened(key: str, version: int, at: int) -> Event:
    return Event(IDS.new(), "test.happened", "prsm.events.test.happened", key, str(version).encode(), at)


def keys(connection: Connection) -> set[str]:
    return set(connection.execute(select(TABLES.outbox.c.event_key)).scalars())


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

    def __init__(self, nats: NatsServer, db: Database, *, outbox: Outbox | None = None, prune: int = HOUR) -> None:
        self.bus = Bus(nats.url, name="test")
        self.outbox = outbox or Outbox(TABLES)
        self.applied = Applied(db)
        self._db = db
        self._relay = Relay(
            db=db, outbox=self.outbox, leases=Leases(TABLES), bus=self.bus, clock=CLOCK, ids=IDS, source="prsm/test",
            poll=0.05, check=50_000, prune=prune,
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

    async def append(self, key: str, *versions: int, age: int = 0) -> None:
        events = [happened(key, version, CLOCK.now() - age) for version in versions]
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


class NeverEmpty(Outbox):
    """An outbox that always has something to publish, until it is told to stop."""

    busy = True

    def mark_published(self, connection: Connection, rows: Sequence[int], now: int) -> None:
        super().mark_published(connection, rows, now)
        if self.busy:
            self.append(connection, [happened("busy", now, CLOCK.now())])


async def test_old_events_are_pruned_also_while_there_is_always_something_to_publish(
    nats: NatsServer, db: Database
) -> None:
    outbox = NeverEmpty(TABLES)
    async with Rig(nats, db, outbox=outbox, prune=0) as rig:
        await rig.append("old", 1, age=8 * DAY)
        rounds = 1
        while "old" in await db.read(keys):
            assert rounds < 50
            rounds += 1
            await rig.applied.until(effects=rounds)
        outbox.busy = False


class Counting(Outbox):
    """Counts how often a loss was seen."""

    losses = 0

    def republish_since(self, connection: Connection, since: int) -> int:
        self.losses += 1
        return super().republish_since(connection, since)


class SlowLook(Bus):
    """A connection on which `meanwhile` happens while the first answer about the stream is on its way."""

    def __init__(self, url: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(url, name="slow")
        self.looks = asyncio.Semaphore(0)
        self._meanwhile = meanwhile

    async def stream_info(self, stream: str) -> StreamInfo:
        found = await super().stream_info(stream)
        await self._meanwhile()
        self.looks.release()
        return found


async def test_what_another_relay_publishes_meanwhile_is_no_loss(nats: NatsServer, db: Database) -> None:
    async with Rig(nats, db) as rig:
        await rig.append("a", 1)
        await rig.applied.until(effects=1)
        versions = iter(range(2, 1000))

        async def meanwhile() -> None:
            version = next(versions)
            await rig.append("a", version)
            await rig.applied.until(effects=version)
            async with asyncio.timeout(10):
                while await db.read(lambda c: rig.outbox.unpublished(c, 1)):  # noqa: ASYNC110 - no event tells it
                    await asyncio.sleep(0)

        outbox, bus = Counting(TABLES), SlowLook(nats.url, meanwhile)
        bus.start()
        relay = Relay(
            db=db, outbox=outbox, leases=Leases(TABLES), bus=bus, clock=CLOCK, ids=IDS, source="prsm/test",
            poll=0.05, check=0,
        )  # fmt: skip
        task = asyncio.create_task(relay.run())
        async with asyncio.timeout(30):
            for _ in range(3):
                await bus.looks.acquire()
        await end([task])
        await bus.close()
    assert outbox.losses == 0


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
