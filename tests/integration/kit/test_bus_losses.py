"""Whatever a stream loses of what it acknowledged comes back from the databases, and is applied once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import nats as nats_client
import pytest
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo
from nats.js.errors import NotFoundError
from sqlalchemy import update

from kit.bus.cloud_event import message_of
from kit.bus.losses import StreamCheck
from kit.bus.names import EVENTS_STREAM
from kit.bus.relay import REPUBLISHED
from kit.db.database import Database
from kit.times import DAY, HOUR
from tests.integration.kit.bus_rig import CLOCK, TABLES, Applied, Rig, happened, until
from tests.support.nats import NatsServer


@asynccontextmanager
async def full(nats: NatsServer, db: Database, *, check: int = 50_000) -> AsyncIterator[Rig]:
    """A rig whose stream holds ten events, all of them applied."""
    async with Rig(nats, db, check=check) as rig:
        await rig.append("a", *range(1, 11))
        await rig.applied.until(effects=10)
        await rig.whole()
        yield rig


async def neighbour(nats: NatsServer, count: int) -> None:
    """Another service's events on the same stream."""
    client = await nats_client.connect(nats.url)
    for _ in range(count):
        await client.jetstream().publish("prsm.events.other.happened", b"1", headers={"ce-id": "another's"})
    await client.close()


def once_each(applied: Applied, count: int) -> None:
    assert sorted(applied.effects) == [("a", version) for version in range(1, count + 1)]


async def resent(rig: Rig) -> list[int]:
    return [count or 0 for count in (await rig.column("resent")).values()]


async def test_a_store_that_was_wiped(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig:
        await nats.stop()
        nats.wipe()
        await rig.append("a", 11)
        await nats.start()
        await rig.applied.until(effects=11, deliveries=21)
        await rig.whole()
        assert len(await rig.held()) == 11
        once_each(rig.applied, 11)


async def test_a_stream_that_was_deleted(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig:
        await rig.js.delete_stream(EVENTS_STREAM)
        await rig.append("a", 11)
        await rig.applied.until(effects=11, deliveries=21)
        await rig.whole()
        once_each(rig.applied, 11)


async def test_a_stream_that_was_purged_within_the_window_in_which_it_remembers_messages(
    nats: NatsServer, bus_db: Database
) -> None:
    async with full(nats, bus_db) as rig:
        await rig.js.purge_stream(EVENTS_STREAM)
        await rig.applied.until(effects=10, deliveries=20)
        await rig.whole()
        assert sorted(await rig.held()) == list(range(11, 21))
        await rig.append("a", 11)
        await rig.applied.until(effects=11)
        once_each(rig.applied, 11)


async def test_a_stream_that_was_purged_while_nobody_looked(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig:
        js, applied = rig.js, rig.applied
        await js.purge_stream(EVENTS_STREAM, keep=3)
    await neighbour(nats, 20)
    async with Rig(nats, bus_db, applied=applied) as rig:
        await rig.whole()
        once_each(applied, 10)


async def test_messages_that_were_deleted_singly_and_only_these(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig:
        for seq in (4, 7):
            await rig.js.delete_msg(EVENTS_STREAM, seq)
        await rig.applied.until(effects=10, deliveries=12)
        await rig.whole()
        assert await resent(rig) == [0, 0, 0, 1, 0, 0, 1, 0, 0, 0]
        # The same place may lose more, also while an earlier loss still shows.
        await rig.js.delete_msg(EVENTS_STREAM, 5)
        await rig.applied.until(effects=10, deliveries=13)
        await rig.whole()
        assert await resent(rig) == [0, 0, 0, 1, 1, 0, 1, 0, 0, 0]
        once_each(rig.applied, 10)


@pytest.mark.parametrize("seq", [1, 10])
async def test_the_first_or_the_last_message_was_deleted(nats: NatsServer, bus_db: Database, seq: int) -> None:
    async with full(nats, bus_db) as rig:
        await rig.js.delete_msg(EVENTS_STREAM, seq)
        await rig.whole_again(seq)
        once_each(rig.applied, 10)


async def test_a_store_that_was_set_back(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig:
        await nats.stop()
        nats.keep_copy()
        await nats.start()
        await rig.append("a", 11, 12)
        await rig.applied.until(effects=12)
        await rig.whole()
        await nats.stop()
        nats.set_back()
        await rig.append("a", 13)
        await nats.start()
        await rig.applied.until(effects=13)
        await rig.whole()
        once_each(rig.applied, 13)


async def set_back_and_passed(nats: NatsServer, db: Database) -> Applied:
    """Two acknowledged events were lost, and others lie under their numbers."""
    async with full(nats, db) as rig:
        await nats.stop()
        nats.keep_copy()
        await nats.start()
        await rig.append("a", 11, 12)
        await rig.applied.until(effects=12)
        await rig.whole()
    await nats.stop()
    nats.set_back()
    await nats.start()
    await neighbour(nats, 20)
    return rig.applied


async def test_a_store_that_was_set_back_and_grew_past_what_was_known(nats: NatsServer, bus_db: Database) -> None:
    applied = await set_back_and_passed(nats, bus_db)
    async with Rig(nats, bus_db, applied=applied) as rig:
        await rig.whole()
        assert sum(await resent(rig)) == 12
        await rig.append("a", 13)
        await applied.until(effects=13)
    once_each(applied, 13)


async def test_what_was_published_since_hides_no_loss(nats: NatsServer, bus_db: Database) -> None:
    applied = await set_back_and_passed(nats, bus_db)
    rig = Rig(nats, bus_db, applied=applied)
    # As one does who was cut off between sending and being told, and then finds a server again: the newest is there.
    await rig.append("a", 13)
    (row,) = await bus_db.read(lambda c: rig.outbox.unpublished(c, 9))
    client = await nats_client.connect(nats.url)
    sent = message_of(row, "prsm/test", None)
    ack = await client.jetstream().publish(sent.subject, sent.payload, headers=dict(sent.headers))
    await client.close()
    await bus_db.write(lambda c: rig.outbox.mark_published(c, {row.row: ack.seq}, CLOCK.now()))
    async with rig:
        await rig.whole()
        await applied.until(effects=13)
    once_each(applied, 13)


async def test_positions_are_begun_anew_where_numbers_were_given_out_again(nats: NatsServer, bus_db: Database) -> None:
    """Under a number that a consumer had passed before the store was set back may lie an event that is new to it."""
    applied = await set_back_and_passed(nats, bus_db)
    client = await nats_client.connect(nats.url)
    known: ConsumerInfo = await client.jetstream().consumer_info(EVENTS_STREAM, "test")
    position = known.created
    foreign = ConsumerConfig(durable_name="foreign", ack_policy=AckPolicy.EXPLICIT)
    left_alone = (await client.jetstream().add_consumer(EVENTS_STREAM, foreign)).created
    await client.close()

    async def begun(rig: Rig, name: str) -> datetime | None:
        try:
            info: ConsumerInfo = await rig.js.consumer_info(EVENTS_STREAM, name)
        except NotFoundError:
            return position
        return info.created

    async def is_new(rig: Rig) -> bool:
        return await begun(rig, "test") != position

    async with Rig(nats, bus_db, applied=applied) as rig:
        await until(lambda: is_new(rig))
        assert await begun(rig, "foreign") == left_alone
        await rig.whole()
    once_each(applied, 12)


async def test_a_consumer_that_was_deleted_begins_anew_and_changes_nothing(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig:
        await rig.js.delete_consumer(EVENTS_STREAM, "test")
        await rig.applied.until(effects=10, deliveries=20)
        assert sum(await resent(rig)) == 0
        once_each(rig.applied, 10)


async def test_every_service_gives_back_its_own(nats: NatsServer, bus_db: Database, other_db: Database) -> None:
    async with full(nats, bus_db) as rig, Rig(nats, other_db, durable="other") as other:
        await other.put(*(happened("b", version, CLOCK.now()) for version in range(1, 6)))
        await other.whole()
        await rig.js.purge_stream(EVENTS_STREAM)
        await rig.whole()
        await other.whole()
        # And each consumer hears of both.
        await rig.applied.until(effects=15)
        await other.applied.until(effects=15)
        assert len(await rig.held()) == 15


async def test_what_the_stream_let_go_of_by_age_is_no_loss(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig:
        applied = rig.applied
    t = TABLES.outbox
    long_ago = CLOCK.now() - 7 * DAY + HOUR // 60
    await bus_db.write(lambda c: c.execute(update(t).where(t.c.stream_seq <= 6).values(published_at=long_ago)))
    client = await nats_client.connect(nats.url)
    await client.jetstream().purge_stream(EVENTS_STREAM, seq=7)
    await client.close()
    async with Rig(nats, bus_db, applied=applied) as rig:
        await rig.append("a", 11)
        await applied.until(effects=11)
        assert sum(await resent(rig)) == 0


async def test_a_loss_brings_back_what_an_older_release_published(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig:
        applied = rig.applied
    t = TABLES.outbox
    await bus_db.write(lambda c: c.execute(update(t).where(t.c.stream_seq == 3).values(stream_seq=None)))
    client = await nats_client.connect(nats.url)
    for seq in (3, 4):
        await client.jetstream().delete_msg(EVENTS_STREAM, seq)
    await client.close()
    async with Rig(nats, bus_db, applied=applied) as rig:
        await rig.whole()
        assert await resent(rig) == [1] * 10
        once_each(applied, 10)


async def test_all_is_well_costs_two_questions(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db, check=HOUR) as rig:
        check = StreamCheck(db=bus_db, outbox=rig.outbox, bus=rig.bus)
        assert (await check.look(suspicious=True)).loss is None
        before = rig.bus.client.stats["out_msgs"]
        look = await check.look(suspicious=False)
        asked = rig.bus.client.stats["out_msgs"] - before
    assert (look.loss, look.complete) == (None, 10)
    # The consumer's own fetches run beside it.
    assert asked <= 2 + 3


async def test_a_replica_leaves_it_to_the_one_that_holds_the_lease(nats: NatsServer, bus_db: Database) -> None:
    async with full(nats, bus_db) as rig, Rig(nats, bus_db, applied=rig.applied):
        counted = REPUBLISHED.cells[()].value
        await rig.js.purge_stream(EVENTS_STREAM)
        await rig.whole()
        await until(lambda: REPUBLISHED.cells[()].value - counted >= 10)
        assert sum(await resent(rig)) == 10
