"""Leases are judged by what was seen: no outage and no clock costs a worker its session, and none keeps a lost one."""

from __future__ import annotations

import pytest

from kit.db.database import Database
from kit.errors import Unavailable
from kit.money import SCALE
from services.session.app import assemble
from tests.integration.session.stand import Stand, heartbeat, pb, wpb

HOUR = 3600.0


@pytest.fixture
def db(file_db: Database) -> Database:
    """Nothing here depends on the database; what the sweeper reads is tried on both in `test_sweeper`."""
    return file_db


async def running(stand: Stand) -> tuple[str, wpb.Lease]:
    session_id = await stand.create()
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    await stand.sweep()
    return session_id, claim.lease


async def test_an_outage_longer_than_a_lease_costs_no_worker_its_session(stand: Stand) -> None:
    session_id, lease = await running(stand)
    stand.clock.advance(seconds=600)
    await stand.sweep(12)
    assert await stand.beat(lease, "read") == "GO_ON"
    await stand.sweep(14)
    assert await stand.status(session_id) == "running"
    assert (await stand.metrics(session_id)).performance_metrics.attempts == 1


async def test_after_an_outage_a_worker_that_stays_silent_is_lost(stand: Stand) -> None:
    session_id, _ = await running(stand)
    stand.clock.advance(seconds=600)
    await stand.sweep(16)
    assert await stand.status(session_id) == "queued"


async def test_a_new_sweeper_begins_anew(stand: Stand) -> None:
    session_id, _ = await running(stand)
    await stand.sweep(14)
    stand.app = assemble(stand.runtime, stand.settings, stand.outside)
    stand.clock.advance(seconds=100)
    await stand.sweep(14)
    assert await stand.status(session_id) == "running"
    await stand.sweep(2)
    assert await stand.status(session_id) == "queued"


async def test_rounds_far_apart_still_find_a_lost_worker(stand: Stand) -> None:
    session_id, _ = await running(stand)
    for _ in range(9):
        stand.clock.advance(seconds=60)
        await stand.sweep()
    assert await stand.status(session_id) == "queued"


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -1.0], ids=["forward", "back", "a second back"])
async def test_a_clock_that_is_set_costs_no_worker_its_session(stand: Stand, jump: float) -> None:
    session_id, lease = await running(stand)
    for _ in range(4):
        stand.clock.jump(seconds=jump)
        await stand.sweep(1)
        assert await stand.beat(lease, "read", document_read=1) == "GO_ON"
        await stand.sweep(14)
        assert await stand.beat(lease, "read", document_read=1) == "GO_ON"
    assert await stand.status(session_id) == "running"
    assert (await stand.metrics(session_id)).performance_metrics.attempts == 1


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_clock_that_is_set_keeps_no_lost_session(stand: Stand, jump: float) -> None:
    session_id, _ = await running(stand)
    stand.clock.jump(seconds=jump)
    await stand.sweep(16)
    assert await stand.status(session_id) == "queued"


async def test_a_worker_that_is_heard_between_look_and_verdict_keeps_its_session(stand: Stand) -> None:
    session_id, lease = await running(stand)
    await stand.sweep(14)
    stand.clock.advance(seconds=1)
    read, hooked = stand.db.read, False

    async def then_beat(fn):  # type: ignore[no-untyped-def]
        nonlocal hooked
        found = await read(fn)
        if not hooked:
            hooked = True
            await stand.beat(lease, "read")
        return found

    stand.db.read = then_beat  # type: ignore[method-assign]
    await stand.app.sweeper.round()
    assert hooked
    assert await stand.status(session_id) == "running"


async def test_starting_has_its_time_whatever_the_clock_shows(stand: Stand) -> None:
    session_id = await stand.create()
    claim = await stand.claim()
    assert claim is not None
    await stand.sweep()
    stand.clock.jump(seconds=HOUR)
    for _ in range(59):
        await stand.beat(claim.lease)
        await stand.sweep(10)
    assert await stand.status(session_id) == "initializing"
    stand.clock.jump(seconds=-2 * HOUR)
    await stand.beat(claim.lease)
    await stand.sweep(11)
    assert await stand.status(session_id) == "queued"
    assert (await stand.history(session_id))["timeline"][-1]["detail"]["reason"] == "never_started"


@pytest.mark.parametrize(("jump", "rounds"), [(-HOUR, 2), (-280, 151)], ids=["far", "near"])
async def test_an_end_is_settled_although_the_clock_was_set_back(stand: Stand, jump: float, rounds: int) -> None:
    session_id = await stand.create()
    stand.books.refuse = Unavailable()
    await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
    stand.books.refuse = None
    stand.clock.jump(seconds=jump)
    for _ in range(rounds):
        stand.clock.advance(seconds=2)
        await stand.app.sweeper.round()
    assert stand.books.settled == {session_id: (0, 10 * SCALE)}


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_chores_keep_their_pace_when_the_clock_is_set(stand: Stand, jump: float) -> None:
    await stand.create()
    await stand.sweep()
    stand.calls.said.clear()
    stand.clock.jump(seconds=jump)
    await stand.sweep(9)
    assert stand.calls.said == {}
    await stand.sweep(1)
    assert stand.calls.said == {"research": 1}


async def test_a_grant_is_renewed_although_the_clock_was_set_back(stand: Stand) -> None:
    _, lease = await running(stand)
    stand.clock.jump(seconds=-HOUR)
    answer = await stand.work("Heartbeat", heartbeat(lease))
    assert (await stand.grants.verify(answer.grant)).epoch == 1
    assert (await stand.work("Heartbeat", heartbeat(lease))).grant == ""
