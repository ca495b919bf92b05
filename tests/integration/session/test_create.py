"""Creating: one effect for each key, money and session together or neither, whatever is lost on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, func, select

from kit.db.database import Database
from kit.errors import PrsmError, Unavailable
from kit.money import SCALE
from kit.times import MINUTE, SECOND
from services.session.repository.history import DurationRepository
from services.session.tables import creations, sessions
from tests.integration.session.outside import Gate
from tests.integration.session.stand import Stand, pb
from tests.support.serving import answer

KEY = ("idempotency-key", "k1")


async def rows(stand: Stand, table: Table = sessions) -> int:
    return int(await stand.db.read(lambda db: db.execute(select(func.count()).select_from(table)).scalar_one()))


async def refused(stand: Stand, *extra: tuple[str, str], **fields: object) -> PrsmError:
    with pytest.raises(PrsmError) as error:
        await stand.create("ada", *extra, **fields)
    return error.value


async def test_the_answer_and_its_headers(stand: Stand) -> None:
    request = pb.CreateSessionRequest(prompt="Why?")
    request.metadata["a"] = 1
    call = stand.sessions.CreateSession(request, metadata=stand.identities.user_metadata("ada"), timeout=60)
    created = await call
    headers = dict(await call.initial_metadata())
    assert headers["x-prsm-http-status"] == "201"
    assert headers["location"] == f"/api/v1/sessions/{created.session_id}"
    assert pb.Session.Status.Name(created.status) == "queued"
    assert created.estimated_duration >= 1
    estimate = created.cost_estimate
    assert (estimate.amount, estimate.min, estimate.max, estimate.currency) == ("2.00", "1.022", "10.00", "FTNS")
    assert estimate.items[0].unit_price == "1.00"
    session = await stand.get(created.session_id)
    assert session.created_at == created.created_at
    assert session.metadata["a"] == 1
    assert (session.budget.limit, session.budget.on_limit) == ("10.00", "finish")
    assert session.HasField("resource_usage")
    assert session.HasField("preferences")
    assert session.HasField("inputs")
    assert stand.calls.said == {"research": 1}
    assert await rows(stand, creations) == 0


async def test_a_key_has_one_effect_and_the_same_answer(stand: Stand) -> None:
    request = pb.CreateSessionRequest(prompt="Why?")
    metadata = (*stand.identities.user_metadata("ada"), KEY)
    first = stand.sessions.CreateSession(request, metadata=metadata, timeout=60)
    one = await first
    stand.clock.advance(seconds=5)
    second = stand.sessions.CreateSession(request, metadata=metadata, timeout=60)
    assert await second == one
    assert dict(await second.initial_metadata()) == dict(await first.initial_metadata())
    assert await rows(stand) == 1
    assert len(stand.books.holds) == 1


async def test_a_key_is_its_principals_own(stand: Stand) -> None:
    assert await stand.create("ada", KEY) != await stand.create("bob", KEY)


async def test_another_request_with_the_same_key(stand: Stand) -> None:
    await stand.create("ada", KEY)
    assert (await refused(stand, KEY, prompt="Other?")).name == "IDEMPOTENCY_KEY_REUSED"


async def test_two_at_once_with_one_key_have_one_effect(db: Database, tmp_path: Path) -> None:
    patient = Stand(db, tmp_path, idempotency_wait_seconds=60)
    await patient.start()
    ids = await asyncio.gather(*(patient.create("ada", KEY) for _ in range(8)))
    assert len(set(ids)) == 1
    assert await rows(patient) == 1
    await patient.stop()


async def test_while_the_first_is_under_way(stand: Stand) -> None:
    gate = stand.shelves.gate = Gate()
    first = asyncio.create_task(stand.create("ada", KEY))
    await gate.reached.wait()
    assert (await refused(stand, KEY)).name == "IDEMPOTENCY_KEY_IN_USE"
    gate.opened.set()
    session_id = await first
    assert await stand.create("ada", KEY) == session_id


@pytest.mark.parametrize("key", ["", "x" * 256, "a b"])
async def test_a_key_is_visible_characters(stand: Stand, key: str) -> None:
    error = await refused(stand, ("idempotency-key", key))
    assert error.name == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("balance", "quota", "name"), [(0, 1000, "INSUFFICIENT_BALANCE"), (100 * SCALE, 0, "SESSION_QUOTA_EXCEEDED")]
)
async def test_a_refusal_leaves_nothing(stand: Stand, balance: int, quota: int, name: str) -> None:
    stand.books.balance, stand.books.quota = balance, quota
    inputs = pb.Inputs(documents=[pb.DocumentInput(title="Salt", text="Rivers carry salt.")])
    error = await refused(stand, KEY, inputs=inputs)
    assert error.name == name
    assert error.details
    assert (await rows(stand), await rows(stand, creations)) == (0, 0)
    assert (len(stand.shelves.stored), len(stand.shelves.discarded)) == (0, 1)
    stand.books.balance, stand.books.quota = 100 * SCALE, 10
    assert await stand.create("ada", KEY, inputs=inputs)


async def test_a_budget_below_the_least(stand: Stand) -> None:
    error = await refused(stand, budget=pb.Budget(limit="1.00"))
    assert error.name == "VALIDATION_ERROR"
    assert error.details == {"fields": [{"field": "budget.limit", "issue": 'must be at least "1.022"'}]}


async def test_a_budget_caps_the_hold(stand: Stand) -> None:
    session_id = await stand.create(budget=pb.Budget(limit="3.50", on_limit="fail"))
    assert stand.books.holds[session_id] == ("ada", 3_500_000)
    session = await stand.get(session_id)
    assert (session.budget.limit, session.budget.on_limit) == ("3.50", "fail")


async def test_an_unknown_outcome_is_unavailable_and_the_key_tells_the_truth_later(stand: Stand) -> None:
    stand.books.lose_answers = True
    assert (await refused(stand, KEY)).name == "UNAVAILABLE"
    (held,) = stand.books.holds
    stand.books.lose_answers = False
    assert await stand.create("ada", KEY) == held
    assert len(stand.books.holds) == 1


async def test_a_hold_that_was_voided_keeps_no_key_for_ever(stand: Stand) -> None:
    """Billing refuses that id for good, so a retry gets another one."""
    stand.books.lose_answers = True
    assert (await refused(stand, KEY)).name == "UNAVAILABLE"
    (held,) = stand.books.holds
    stand.books.lose_answers = False
    await stand.books.void_hold(held, "ada")
    assert (await refused(stand, KEY)).name == "UNAVAILABLE"
    session_id = await stand.create("ada", KEY)
    assert session_id != held
    assert stand.books.holds.keys() == {session_id}


async def test_a_dead_request_is_taken_over_after_its_lease(stand: Stand) -> None:
    stand.books.refuse = RuntimeError("the process dies here")  # type: ignore[assignment]
    assert (await refused(stand, KEY)).name == "INTERNAL"
    stand.books.refuse = None
    assert (await refused(stand, KEY)).name == "IDEMPOTENCY_KEY_IN_USE"
    found = await stand.db.read(lambda db: db.execute(creations.select()).one())
    stand.clock.advance(seconds=6)
    assert await stand.create("ada", KEY) == found.session_id


async def test_a_request_that_takes_long_is_not_taken_over(stand: Stand) -> None:
    gate = stand.shelves.gate = Gate()
    slow = asyncio.create_task(stand.create("ada", KEY))
    await gate.reached.wait()
    for _ in range(3):
        stand.clock.advance(seconds=4)
        await _lease_until(stand, stand.clock.now() + 5 * SECOND)
    assert (await refused(stand, KEY)).name == "IDEMPOTENCY_KEY_IN_USE"
    gate.opened.set()
    created = await slow
    assert await stand.create("ada", KEY) == created
    assert len(stand.books.holds) == 1


async def _lease_until(stand: Stand, moment: int) -> None:
    async with asyncio.timeout(60):
        while True:
            if await stand.db.read(lambda db: db.execute(select(creations.c.lease_until)).scalar_one()) == moment:
                return
            await asyncio.sleep(0)


async def test_the_sweeper_ends_what_nobody_comes_back_to(stand: Stand) -> None:
    stand.books.lose_answers = True
    assert (await refused(stand, KEY)).name == "UNAVAILABLE"
    (held,) = stand.books.holds
    stand.books.lose_answers = False
    stand.clock.advance(seconds=119)
    await stand.app.sweeper.round()
    assert await rows(stand, creations) == 1
    stand.clock.advance(seconds=2)
    await stand.app.sweeper.round()
    assert await rows(stand, creations) == 0
    assert (stand.books.holds, stand.books.voided) == ({}, {held})
    assert stand.shelves.discarded == {held}
    assert await stand.create("ada", KEY) != held


async def test_a_creation_stays_until_its_hold_is_void(stand: Stand) -> None:
    stand.books.refuse = Unavailable()
    await refused(stand, KEY)
    stand.clock.advance(seconds=200)
    await stand.app.sweeper.round()
    assert await rows(stand, creations) == 1
    assert (await refused(stand, KEY)).name == "IDEMPOTENCY_KEY_IN_USE"
    stand.books.refuse = None
    stand.clock.advance(seconds=2)
    await stand.app.sweeper.round()
    assert await rows(stand, creations) == 0


async def test_a_request_that_outlives_its_creation_makes_no_session(stand: Stand) -> None:
    gate = stand.shelves.gate = Gate()
    late = asyncio.create_task(stand.create("ada"))
    await gate.reached.wait()
    stand.clock.advance(seconds=1000)
    await stand.app.sweeper.round()
    gate.opened.set()
    with pytest.raises(PrsmError) as error:
        await late
    assert error.value.name == "UNAVAILABLE"
    assert (await rows(stand), stand.books.holds) == (0, {})


async def test_a_refusal_after_a_takeover_leaves_a_tombstone(stand: Stand) -> None:
    stand.books.lose_answers = True
    await refused(stand, KEY)
    (held,) = stand.books.holds
    stand.books.lose_answers = False
    stand.books.holds.clear()
    stand.books.balance = 0
    assert (await refused(stand, KEY)).name == "INSUFFICIENT_BALANCE"
    assert (await rows(stand, creations), stand.books.voided) == (0, {held})


async def test_a_refusal_that_cannot_be_taken_back_is_left_to_the_sweeper(stand: Stand) -> None:
    stand.books.balance = 0
    stand.shelves.away = True
    inputs = pb.Inputs(documents=[pb.DocumentInput(title="Salt", text="Rivers carry salt.")])
    assert (await refused(stand, KEY, inputs=inputs)).name == "INSUFFICIENT_BALANCE"
    assert await rows(stand, creations) == 1
    assert (await refused(stand, KEY, inputs=inputs)).name == "IDEMPOTENCY_KEY_IN_USE"
    stand.shelves.away = False
    await stand.app.sweeper.round()
    assert (await rows(stand, creations), stand.shelves.stored) == (0, set())


async def test_estimate_keeps_nothing(stand: Stand) -> None:
    request = pb.EstimateSessionRequest(prompt="Why?")
    request.inputs.documents.add(title="Salt", text="Rivers carry salt.")
    estimated = await stand.call("ada", "EstimateSession", request)
    assert estimated.cost_estimate.max == "10.00"
    assert estimated.estimated_duration >= 1
    assert (stand.shelves.stored, stand.books.holds) == (set(), {})


async def test_a_reading_token_may_estimate_but_not_create(stand: Stand) -> None:
    metadata = stand.identities.user_metadata("ada", scope="read")
    estimate = pb.EstimateSessionRequest(prompt="Why?")
    assert (await stand.sessions.EstimateSession(estimate, metadata=metadata, timeout=60)).estimated_duration
    with pytest.raises(PrsmError) as error:
        await answer(
            stand.sessions.CreateSession(pb.CreateSessionRequest(prompt="Why?"), metadata=metadata, timeout=60)
        )
    assert error.value.name == "FORBIDDEN"


async def test_durations_are_learnt_from_completed_sessions(stand: Stand) -> None:
    request = pb.EstimateSessionRequest(prompt="Why?")
    assert (await stand.call("ada", "EstimateSession", request)).estimated_duration == 2
    await stand.completed()
    assert (await stand.call("ada", "EstimateSession", request)).estimated_duration == 1


async def test_what_is_learnt_are_whole_microseconds(stand: Stand) -> None:
    durations = DurationRepository()

    def learn(db: Connection) -> int | None:
        for running in (3 * MINUTE, 3 * MINUTE + 1):
            durations.learn(db, "research", "standard", running)
        return durations.mean(db, "research", "standard")

    assert await stand.db.write(learn) == 3 * MINUTE
    created = await stand.call("ada", "CreateSession", pb.CreateSessionRequest(prompt="Why?"))
    assert created.estimated_duration == 3
