"""A failed session stays as it is; an operator starts another one in its place, once."""

from __future__ import annotations

import asyncio

import pytest

from kit.db.database import Database
from kit.errors import PrsmError
from kit.money import SCALE
from tests.integration.session.operating import apb, failed, requeued
from tests.integration.session.stand import STAGES, Stand, pb, wpb


@pytest.fixture
def db(file_db: Database) -> Database:
    """Creations are tried on both databases in `test_create`."""
    return file_db


async def test_a_requeued_session_is_another_one_like_it(stand: Stand) -> None:
    inputs = pb.Inputs(documents=[pb.DocumentInput(title="Salt", text="Rivers carry salt.")])
    old_id = await failed(
        stand,
        inputs=inputs,
        budget=pb.Budget(limit="7.00", on_limit="fail"),
        preferences=pb.Preferences(depth="quick", seed=7, time_limit_minutes=3),
    )
    before = await stand.get(old_id)
    stand.shelves.documents = {"doc-0"}
    new_id = await requeued(stand, old_id)
    new, old = await stand.get(new_id), await stand.get(old_id)
    for name in ("owner", "prompt", "session_type", "preferences", "metadata", "budget"):
        assert getattr(new, name) == getattr(old, name), name
    assert [d.document_id for d in new.inputs.documents] == ["doc-0"]
    assert pb.Session.Status.Name(new.status) == "queued"
    assert stand.books.holds[new_id] == ("ada", 7 * SCALE)
    assert stand.books.settled == {old_id: (0, 7 * SCALE)}
    before.updated_at.CopyFrom(old.updated_at)
    assert old == before
    told = (await stand.history(old_id))["timeline"][-1]
    assert (told["type"], told["actor"], told["detail"]) == ("session.requeued", "root", {"successor": new_id})
    told = (await stand.history(new_id))["timeline"][1]
    assert (told["type"], told["actor"], told["detail"]) == ("session.requeued", "root", {"predecessor": old_id})
    assert stand.calls.said["research"] == 2
    claim = await stand.started()
    assert (claim.lease.session_id, claim.attempt, claim.alone) == (new_id, 1, False)
    for stage in STAGES:
        await stand.stage(claim.lease, stage)
    await stand.complete(claim.lease)


async def test_there_is_one_successor_at_most(stand: Stand) -> None:
    old_id = await failed(stand)
    found = await asyncio.gather(*(requeued(stand, old_id) for _ in range(5)))
    assert len(set(found)) == 1
    # The record of the creation is gone by then.
    stand.clock.advance(seconds=3 * 86_400)
    await stand.sweep(1)
    assert await requeued(stand, old_id) == found[0]
    assert len(stand.books.holds) == 2
    (shown,) = (await stand.operate("ListFailedSessions", apb.ListFailedSessionsRequest())).sessions
    assert shown.successor == found[0]


async def test_a_successor_that_fails_has_a_successor_of_its_own(stand: Stand) -> None:
    old_id = await failed(stand)
    second = await requeued(stand, old_id)
    claim = await stand.started()
    await stand.work("Fail", wpb.FailRequest(lease=claim.lease, code="boom", ours=True))
    third = await requeued(stand, second)
    assert len({old_id, second, third}) == 3
    assert await requeued(stand, old_id) == second


@pytest.mark.parametrize("status", ["queued", "running", "paused", "completed", "cancelled"])
async def test_only_what_failed_can_be_requeued(stand: Stand, status: str) -> None:
    if status == "completed":
        session_id = await stand.completed()
    else:
        session_id = await stand.create()
        if status in ("running", "paused"):
            await stand.started()
        if status == "paused":
            await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
        if status == "cancelled":
            await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
    with pytest.raises(PrsmError) as error:
        await requeued(stand, session_id)
    assert (error.value.name, error.value.details) == ("SESSION_CANNOT_BE_REQUEUED", {"status": status})


async def test_a_session_that_is_not_there(stand: Stand) -> None:
    for session_id in ("nonsense", "01890000-0000-7000-8000-000000000000"):
        with pytest.raises(PrsmError) as error:
            await requeued(stand, session_id)
        assert error.value.name == "SESSION_NOT_FOUND"


async def test_a_requeue_that_the_owner_cannot_pay_leaves_nothing_and_can_be_asked_again(stand: Stand) -> None:
    old_id = await failed(stand)
    before = await stand.history(old_id)
    stand.books.balance = 9 * SCALE
    with pytest.raises(PrsmError) as error:
        await requeued(stand, old_id)
    assert error.value.name == "INSUFFICIENT_BALANCE"
    assert await stand.history(old_id) == before
    stand.books.balance = 100 * SCALE
    stand.books.lose_answers = True
    with pytest.raises(PrsmError):
        await requeued(stand, old_id)
    stand.books.lose_answers = False
    new_id = await requeued(stand, old_id)
    assert set(stand.books.holds) == {old_id, new_id}
