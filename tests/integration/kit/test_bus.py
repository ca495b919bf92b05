"""Events go from the outbox to their consumers once each in effect, whatever happens to the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import Connection

from kit.bus.connection import Bus
from kit.bus.consumer import Consumer, Received
from kit.bus.relay import Relay
from kit.bus.stream_view import StreamView
from kit.db.database import Database
from kit.db.leases import Leases
from kit.db.outbox import Outbox
from kit.tasks import end
from kit.times import DAY, Instant, SystemClock
from tests.integration.kit.bus_rig import CLOCK, IDS, TABLES, Rig, happened, keys
from tests.support.nats import NatsServer


async def test_events_arrive_in_order_and_leave_no_work_behind(nats: NatsServer, bus_db: Database) -> None:
    async with Rig(nats, bus_db) as rig:
        await rig.append("a", *range(1, 301))
        await rig.applied.until(effects=300)
        assert rig.applied.effects[-1] == ("a", 300)


async def test_a_wiped_broker_is_rebuilt_from_the_outbox_without_a_second_effect(
    nats: NatsServer, bus_db: Database
) -> None:
    async with Rig(nats, bus_db) as rig:
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

    def mark_published(self, connection: Connection, rows: Mapping[int, int], now: int) -> None:
        super().mark_published(connection, rows, now)
        if self.busy:
            self.append(connection, [happened("busy", now, CLOCK.now())])


async def test_old_events_are_pruned_also_while_there_is_always_something_to_publish(
    nats: NatsServer, bus_db: Database
) -> None:
    outbox = NeverEmpty(TABLES)
    async with Rig(nats, bus_db, outbox=outbox, prune=0, retention=1) as rig:
        await rig.append("old", 1, age=8 * DAY)
        rounds = 1
        async with asyncio.timeout(60):
            while "old" in await bus_db.read(keys):
                rounds += 1
                await rig.applied.until(effects=rounds)
        outbox.busy = False


async def test_what_the_stream_still_has_is_not_pruned_whatever_the_clock_says(
    nats: NatsServer, bus_db: Database
) -> None:
    clock = Adjusted()
    async with Rig(nats, bus_db, prune=0, clock=clock) as rig:
        await rig.append("a", 1)
        await rig.applied.until(effects=1)
        clock.ahead = 30 * DAY
        await rig.append("a", 2)
        await rig.applied.until(effects=2)
        # It has looked and tidied up once more by the time that this is published.
        await rig.append("a", 3)
        await rig.applied.until(effects=3)
        assert len(await rig.column("id")) == 3


async def test_a_clock_that_is_set_holds_up_neither_relay_nor_its_replica(nats: NatsServer, bus_db: Database) -> None:
    first, second = Adjusted(), Adjusted()
    async with Rig(nats, bus_db, clock=first) as rig, Rig(nats, bus_db, clock=second, applied=rig.applied) as other:
        for version, (mine, others) in enumerate([(0, 0), (30, 0), (30, -30), (-30, 0), (0, 30), (-30, -30)], 1):
            first.ahead, second.ahead = mine * DAY, others * DAY
            await rig.append("a", version)
            await rig.applied.until(effects=version)
        await other.whole()
    assert sorted(rig.applied.effects) == [("a", version) for version in range(1, 7)]


class Adjusted(SystemClock):
    """The machine's clocks, the one on the wall set by so many microseconds."""

    ahead = 0

    def now(self) -> Instant:
        return Instant(super().now() + self.ahead)


class Counting(Outbox):
    """Counts how often a loss was seen."""

    losses = 0

    def republish_after(self, connection: Connection, row: int, limit: int) -> tuple[int, int | None]:
        self.losses += 1
        return super().republish_after(connection, row, limit)


class SlowLook(Bus):
    """A connection on which `meanwhile` happens while the first answer about the stream is on its way."""

    def __init__(self, url: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(url, name="slow")
        self.looks = asyncio.Semaphore(0)
        self._meanwhile = meanwhile

    async def look_at(self, stream: str) -> StreamView:
        found = await super().look_at(stream)
        await self._meanwhile()
        self.looks.release()
        return found


async def test_what_another_relay_publishes_meanwhile_is_no_loss(nats: NatsServer, bus_db: Database) -> None:
    async with Rig(nats, bus_db) as rig:
        await rig.append("a", 1)
        await rig.applied.until(effects=1)
        versions = iter(range(2, 1000))

        async def meanwhile() -> None:
            version = next(versions)
            await rig.append("a", version)
            await rig.applied.until(effects=version)
            async with asyncio.timeout(60):
                while await bus_db.read(lambda c: rig.outbox.unpublished(c, 1)):  # noqa: ASYNC110 - no event tells it
                    await asyncio.sleep(0)

        outbox, bus = Counting(TABLES), SlowLook(nats.url, meanwhile)
        bus.start()
        relay = Relay(
            db=bus_db, outbox=outbox, leases=Leases(TABLES), bus=bus, clock=CLOCK, ids=IDS, source="prsm/test",
            poll=0.05, check=0,
        )  # fmt: skip
        task = asyncio.create_task(relay.run())
        async with asyncio.timeout(60):
            for _ in range(3):
                await bus.looks.acquire()
        await end([task])
        await bus.close()
    assert outbox.losses == 0


async def test_a_failing_handler_gets_its_event_again(nats: NatsServer, bus_db: Database) -> None:
    seen: list[str] = []
    again = asyncio.Event()

    async def stubborn(received: Received) -> None:
        seen.append(received.id)
        if len(seen) == 1:
            raise RuntimeError("not yet")
        again.set()

    async with Rig(nats, bus_db) as rig:
        consumer = Consumer(rig.bus, durable="stubborn", subjects=["prsm.events.test.>"], handler=stubborn)
        task = asyncio.create_task(consumer.run())
        await rig.append("a", 1)
        await asyncio.wait_for(again.wait(), 60)
        await end([task])
    assert len(set(seen)) == 1
