"""The sweeper mends what nobody else comes back to."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from kit.db.database import Database
from kit.db.leases import Leases
from kit.errors import Unavailable
from kit.ids import RandomIds
from kit.money import SCALE
from kit.times import ManualClock
from services.session.app import Outside, assemble
from services.session.sweeper import Chore, Sweeper
from services.session.tables import KIT, sessions
from tests.integration.session.outside import Calls
from tests.integration.session.stand import STAGES, Stand, pb


async def test_a_lost_worker_is_replaced_and_lost_work_is_not_charged(stand: Stand) -> None:
    session_id = await stand.create()
    first = await stand.started()
    await stand.stage(first.lease, "read", document_read=1)
    await stand.begin(first.lease, "think")
    await stand.beat(first.lease, "think", document_read=100)
    await stand.sweep(14)
    assert await stand.status(session_id) == "running"
    await stand.sweep(2)
    assert await stand.status(session_id) == "queued"
    assert stand.calls.said["research"] == 2
    second = await stand.started("w2")
    assert [stage.stage for stage in second.stages] == ["read"]
    for stage in STAGES[1:]:
        await stand.stage(second.lease, stage)
    await stand.complete(second.lease)
    assert stand.books.settled[session_id][0] == SCALE + 20_000


async def test_a_job_that_kills_its_workers_ends(stand: Stand) -> None:
    session_id = await stand.create()
    for number in range(3):
        claim = await stand.started(f"w{number}")
        await stand.begin(claim.lease, "read")
        await stand.sweep(16)
    session = await stand.get(session_id)
    assert pb.Session.Status.Name(session.status) == "failed"
    assert session.error_details.code == "worker_lost"
    assert session.error_details.message == (
        "Given up after 3 attempts: the last time the worker was lost in the stage read. Nothing is charged"
    )
    stand.clock.advance(seconds=5)
    await stand.app.sweeper.round()
    assert stand.books.settled[session_id] == (0, 10 * SCALE)


async def test_a_worker_that_never_starts_loses_the_session(db: Database, tmp_path: Path) -> None:
    stand = Stand(db, tmp_path, initializing_seconds=60)
    await stand.start()
    session_id = await stand.create()
    claim = await stand.claim()
    assert claim is not None
    for status in ("initializing",) * 5 + ("queued",):
        await stand.beat(claim.lease)
        await stand.sweep(10)
        assert await stand.status(session_id) == status
    await stand.stop()


async def test_a_cancel_stands_while_billing_is_away_and_is_told_later(stand: Stand) -> None:
    session_id = await stand.create()
    stand.books.refuse = Unavailable()
    cancelled = await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
    assert (pb.Session.Status.Name(cancelled.status), cancelled.refund_amount) == ("cancelled", "10.00")
    stand.clock.advance(seconds=3)
    await stand.app.sweeper.round()
    assert stand.books.settled == {}
    stand.books.refuse = None
    stand.clock.advance(seconds=3)
    await stand.app.sweeper.round()
    assert stand.books.settled == {session_id: (0, 10 * SCALE)}
    row = await stand.db.read(lambda db: db.execute(sessions.select()).one())
    assert row.settled_at is not None
    assert row.settle_after is None


async def test_a_settlement_that_billing_disputes_does_not_hold_up_the_others(stand: Stand) -> None:
    disputed = await stand.create()
    stand.books.settled[disputed] = (1, 10 * SCALE - 1)
    await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=disputed))
    other = await stand.create()
    stand.books.refuse = Unavailable()
    await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=other))
    stand.books.refuse = None
    stand.clock.advance(seconds=3)
    await stand.app.sweeper.round()
    assert stand.books.settled[other] == (0, 10 * SCALE)
    row = await stand.db.read(lambda db: db.execute(sessions.select().where(sessions.c.session_id == disputed)).one())
    assert row.settled_at is None
    assert row.settle_after is not None


async def test_lost_wake_ups_are_said_again(stand: Stand) -> None:
    stand.books.balance = 10**12
    for _ in range(3):
        await stand.create()
    stand.clock.advance(seconds=1)
    await stand.create(preferences=pb.Preferences(engine="fixed"))
    claim = await stand.started()
    stand.calls.said.clear()
    stand.clock.advance(seconds=11)
    await stand.app.sweeper.round()
    assert stand.calls.said == {"research": 3, "fixed": 1}
    await stand.beat(claim.lease)
    stand.clock.advance(seconds=11)
    await stand.app.sweeper.round()
    assert stand.calls.said == {"research": 3, "fixed": 1}


async def test_one_sweeper_at_a_time(stand: Stand) -> None:
    await stand.create()
    await stand.app.sweeper.round()
    calls = Calls()
    outside = Outside(stand.books, stand.shelves, stand.shares, calls, stand.styles)
    second = assemble(stand.runtime, stand.settings, outside).sweeper
    stand.clock.advance(seconds=12)
    await second.round()
    assert calls.said == {}
    stand.clock.advance(seconds=12)
    await second.round()
    assert calls.said == {"research": 1}


async def test_old_records_of_keys_are_removed(stand: Stand) -> None:
    key = ("idempotency-key", "k1")
    first = await stand.create("ada", key)
    stand.clock.advance(seconds=86_400)
    await stand.app.sweeper.round()
    assert await stand.create("ada", key) == first
    stand.clock.advance(seconds=86_401)
    await stand.app.sweeper.round()
    assert await stand.create("ada", key) != first


async def test_a_chore_that_hangs_holds_up_no_other_and_is_begun_again(file_db: Database) -> None:
    begun: Counter[str] = Counter()
    enough = asyncio.Event()

    async def hang() -> None:
        begun["hang"] += 1
        await asyncio.Event().wait()

    async def go_on() -> None:
        begun["go on"] += 1
        if begun["go on"] > begun["hang"] > 1:
            enough.set()

    clock = ManualClock()
    chores = [Chore("hang", 0, hang), Chore("go on", 0, go_on)]
    sweeper = Sweeper(
        db=file_db, leases=Leases(KIT), clock=clock, ids=RandomIds(clock), chores=chores, pause=0, longest=0.01
    )
    running = asyncio.create_task(sweeper.run())
    async with asyncio.timeout(60):
        await enough.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await file_db.read(lambda db: db.execute(KIT.leases.select()).all()) == []
