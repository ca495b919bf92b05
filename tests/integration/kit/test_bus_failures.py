"""What fails between outbox and stream costs no event, and one event never holds up the others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import pytest
from nats.js.api import StreamConfig
from sqlalchemy import Connection
from sqlalchemy.schema import CreateSchema

from kit.bus.connection import Bus, backoff
from kit.bus.names import EVENTS_STREAM
from kit.bus.publisher import Ack, Message, Outcome, Publisher, Refused
from kit.bus.relay import REFUSED
from kit.db.database import Database, open_database
from kit.db.leases import Leases
from kit.db.outbox import Outbox
from kit.errors import Unavailable
from kit.times import SECOND
from tests.integration.kit.bus_rig import CLOCK, SUBJECT, TABLES, Rig, happened, metadata, until
from tests.support.nats import NatsServer


class Forgetful(Outbox):
    """Dies once between what the stream acknowledged and the note of it."""

    died = False

    def mark_published(self, connection: Connection, rows: Mapping[int, int], now: int) -> None:
        super().mark_published(connection, rows, now)
        if rows and not self.died:
            self.died = True
            raise OSError("cut off before the commit")


async def test_a_crash_between_publishing_and_noting_it_publishes_nothing_twice(
    nats: NatsServer, bus_db: Database
) -> None:
    outbox = Forgetful(TABLES)
    async with Rig(nats, bus_db, outbox=outbox) as rig:
        await rig.append("a", 1, 2, 3)
        await rig.whole()
        assert outbox.died
        assert len(await rig.held()) == 3
        await rig.applied.until(effects=3)


class CutOff(Outbox):
    """Cannot note anything while it is not let."""

    def __init__(self) -> None:
        super().__init__(TABLES)
        self.let = True
        self.tried = 0

    def mark_published(self, connection: Connection, rows: Mapping[int, int], now: int) -> None:
        if rows and not self.let:
            self.tried += 1
            raise OSError("cut off before the commit")
        super().mark_published(connection, rows, now)


@pytest.mark.parametrize("loss", ["purge", "deletion"])
async def test_a_copy_that_the_stream_remembers_and_no_longer_has_is_published_anew(
    nats: NatsServer, bus_db: Database, loss: str
) -> None:
    outbox = CutOff()
    async with Rig(nats, bus_db, outbox=outbox) as rig:
        await rig.append("a", 1)
        await rig.whole()
        outbox.let = False
        await rig.append("a", 2, 3, 4)
        await until(lambda: outbox.tried)
        if loss == "purge":
            await rig.js.purge_stream(EVENTS_STREAM)
        else:
            await rig.js.delete_msg(EVENTS_STREAM, 3)
        # From here on the stream says "duplicate" to what it does not hold; the relay looks, and misses nothing yet.
        tried = outbox.tried
        await until(lambda: outbox.tried > tried + 1)
        outbox.let = True
        await rig.whole()
        await rig.applied.until(effects=4)


async def limited(rig: Rig, bytes_: int) -> None:
    found = (await rig.js.stream_info(EVENTS_STREAM)).config
    await rig.js.update_stream(StreamConfig(**{**found.__dict__, "max_msg_size": bytes_}))


async def test_an_event_that_the_stream_refuses_waits_and_the_others_go_on(nats: NatsServer, bus_db: Database) -> None:
    refused = REFUSED.cells[()].value
    async with Rig(nats, bus_db, prune=0) as rig:
        await rig.append("a", 1)
        await rig.applied.until(effects=1)
        await limited(rig, 1000)
        await rig.put(happened("a", 2, CLOCK.now(), padding=2000), happened("a", 3, CLOCK.now()))
        await rig.append("a", 4)
        await rig.applied.until(effects=3)
        assert REFUSED.cells[()].value > refused
        assert sorted(version for _, version in rig.applied.effects) == [1, 3, 4]
        # Taken up again once there is room: late, after those that came after it, and all the same.
        await limited(rig, -1)
        await rig.applied.until(effects=4)
        await rig.whole()


@pytest.mark.parametrize("padding", [1_048_400, 2_000_000])
async def test_an_event_that_is_too_large_for_the_server_ends_no_connection(
    nats: NatsServer, bus_db: Database, padding: int
) -> None:
    async with Rig(nats, bus_db) as rig:
        await rig.put(happened("a", 1, CLOCK.now(), padding=padding), *[happened("a", 2, CLOCK.now())])
        await rig.append("a", 3)
        await rig.applied.until(effects=2)
        assert sorted(version for _, version in rig.applied.effects) == [2, 3]
        assert rig.bus.connections == 0

        async def one_is_set_aside() -> bool:
            return any((await rig.column("set_aside_at")).values())

        # The others do not wait for that.
        await until(one_is_set_aside)
        set_aside = await rig.column("set_aside_at")
        assert [moment is not None for moment in set_aside.values()] == [True, False, False]


async def test_a_connection_that_the_server_ended_for_good_is_made_anew(nats: NatsServer, bus_db: Database) -> None:
    async with Rig(nats, bus_db) as rig:
        await rig.append("a", 1)
        await rig.applied.until(effects=1)
        # The client counts the payload alone and lets it through; the server counts all of it.
        await rig.bus.client.publish(SUBJECT, b"0" * 1_048_570, headers={"h": "x" * 100})
        await until(lambda: rig.bus.connections > 0)
        await rig.append("a", 2)
        await rig.applied.until(effects=2)


async def test_a_broker_that_was_away_for_long_is_caught_up_with(nats: NatsServer, bus_db: Database) -> None:
    async with Rig(nats, bus_db) as rig:
        await rig.append("a", 1)
        await rig.applied.until(effects=1)
        await nats.stop()
        for start in range(2, 1002, 100):
            await rig.append("a", *range(start, start + 100))
        await nats.start()
        await rig.applied.until(effects=1001)
        assert sorted(rig.applied.effects) == [("a", version) for version in range(1, 1002)]


async def test_an_event_whose_transaction_commits_late_is_published(nats: NatsServer, postgres_url: str) -> None:
    db = open_database(postgres_url, schema="bus")
    await db.write(lambda c: c.execute(CreateSchema("bus")))
    await db.write(metadata.create_all)
    late = await asyncpg.connect(postgres_url)
    async with Rig(nats, db) as rig:
        writing = late.transaction()
        await writing.start()
        values: list[Any] = [SUBJECT, "late", "test.happened", "a", b"1", CLOCK.now()]
        await late.execute(
            "INSERT INTO bus.outbox (subject, event_id, event_type, event_key, payload, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            *values,
        )
        await rig.append("a", 2, 3)
        await rig.applied.until(effects=2)
        await writing.commit()
        await rig.applied.until(effects=3)
        assert rig.applied.effects[-1] == ("a", 1)
        await rig.whole()
    await late.close()
    await db.close()


async def test_replicas_of_a_relay_share_one_outbox(nats: NatsServer, bus_db: Database) -> None:
    async with Rig(nats, bus_db) as rig, Rig(nats, bus_db, applied=rig.applied) as other:
        for version in range(1, 101):
            await (rig if version % 2 else other).append("a", version)
        await rig.applied.until(effects=100)
        await rig.whole()
        assert len(await rig.held()) == 100


def test_pauses_grow_to_a_bound_and_differ() -> None:
    assert [backoff(failures, 0.5, 5.0, lambda: 0.0) for failures in (1, 2, 3, 4, 5, 100)] == [0.5, 1, 2, 4, 5, 5]
    assert backoff(3, 0.5, 5.0, lambda: 1.0) == 1.0
    assert len({backoff(5, 0.5, 5.0) for _ in range(20)}) > 1


async def test_what_a_publisher_is_told_of_each_message(nats: NatsServer, bus_db: Database) -> None:
    async with Rig(nats, bus_db) as rig:
        await rig.append("a", 1)
        await rig.applied.until(effects=1)
        await limited(rig, 200)
        publisher = Publisher(rig.bus)
        sent = [
            Message(SUBJECT, b"1", {"Nats-Msg-Id": "one"}),
            Message(SUBJECT, b"2" * 300, {}),
            Message(SUBJECT, b"1", {"Nats-Msg-Id": "one"}),
            Message("nobody.listens", b"1", {}),
            Message(SUBJECT, b"1", {"not a name": "x"}),
            Message(SUBJECT, b"4", {}),
        ]
        first, large, again, lost, malformed, last = await publisher.publish(sent)
        assert (first, again, last) == (Ack(2, False), Ack(2, True), Ack(3, False))
        assert isinstance(large, Refused)
        assert isinstance(malformed, Refused)
        assert isinstance(lost, Unavailable)
        assert lost.message == "The message broker has no such stream"


class Held(Publisher):
    """Stands still between what the stream acknowledged and the note of it, until it is let."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self.acknowledged, self.let = asyncio.Event(), asyncio.Event()

    async def publish(self, messages: Sequence[Message]) -> list[Outcome]:
        outcomes = await super().publish(messages)
        self.acknowledged.set()
        await self.let.wait()
        return outcomes


async def test_a_relay_that_lost_its_lease_while_it_published_notes_nothing(nats: NatsServer, bus_db: Database) -> None:
    """The place that it was told may be one in a stream that is gone since; who has the lease now has seen to that."""
    rig = Rig(nats, bus_db)
    rig.relay._publisher = held = Held(rig.bus)
    rig.bus.start()
    await rig.bus.ready()
    await rig.append("a", 1)
    step = asyncio.create_task(rig.relay._step())
    async with asyncio.timeout(60):
        await held.acknowledged.wait()
    leases, later = Leases(TABLES), CLOCK.now() + 6 * SECOND
    assert await bus_db.write(lambda c: leases.take(c, "relay", "another", later, later + SECOND))
    held.let.set()
    await step
    assert list((await rig.column("published_at")).values()) == [None]
    await bus_db.write(lambda c: leases.give_back(c, "relay", "another"))
    await rig.bus.close()
    async with Rig(nats, bus_db, applied=rig.applied) as other:
        await other.whole()
        await other.applied.until(effects=1)
        assert len(await other.held()) == 1
