"""Workers: claims in fair order, epochs on every write, ends of attempts."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from kit.auth.grants import METADATA_KEY
from kit.errors import PrsmError
from kit.money import SCALE
from tests.integration.session.stand import HASH, STAGES, Stand, pb, wpb


async def stale(stand: Stand, method: str, request: Any) -> None:
    with pytest.raises(PrsmError) as error:
        await stand.work(method, request)
    assert error.value.name == "STALE_EPOCH"


def writes(lease: wpb.Lease) -> dict[str, Any]:
    return {
        "Start": wpb.StartRequest(lease=lease, stages=[wpb.StagePlan(stage="read", weight=1)]),
        "BeginStage": wpb.BeginStageRequest(lease=lease, stage="read"),
        "Heartbeat": wpb.HeartbeatRequest(lease=lease, stage="read"),
        "Checkpoint": wpb.CheckpointRequest(lease=lease, stage="read", hash=HASH),
        "Complete": wpb.CompleteRequest(lease=lease, hash=HASH, results=pb.CompactResults(title="x")),
        "Fail": wpb.FailRequest(lease=lease, code="boom", retryable=True),
        "Release": wpb.ReleaseRequest(lease=lease),
    }


async def test_nothing_to_do(stand: Stand) -> None:
    assert await stand.claim() is None
    await stand.create()
    assert await stand.claim(engines=("analysis",)) is None


async def test_a_claim_tells_all_that_a_worker_needs(stand: Stand) -> None:
    inputs = pb.Inputs(documents=[pb.DocumentInput(title="Salt", text="Rivers carry salt.")])
    session_id = await stand.create(preferences=pb.Preferences(depth="quick", seed=7), inputs=inputs)
    claim = await stand.claim("w1")
    assert claim is not None
    assert (claim.lease.session_id, claim.lease.epoch, claim.lease.worker_id) == (session_id, 1, "w1")
    assert (claim.lease_us, claim.heartbeat_us, claim.attempt) == (15_000_000, 1_000_000, 1)
    assert (claim.engine, claim.session_type, claim.owner) == ("research", "research", "ada")
    assert (claim.preferences.depth, claim.preferences.seed) == ("quick", 7)
    grant = await stand.grants.verify(claim.grant)
    assert (grant.owner, grant.session_id, grant.epoch, grant.documents) == ("ada", session_id, 1, ("doc-0",))
    assert await stand.status(session_id) == "initializing"


async def test_a_grant_names_the_results_that_a_synthesis_reads(stand: Stand) -> None:
    first, second = await stand.completed(), await stand.completed()
    inputs = pb.Inputs(sessions=[first, second])
    await stand.create(session_type="synthesis", inputs=inputs)
    claim = await stand.claim(engines=("synthesis",))
    assert claim is not None
    grant = await stand.grants.verify(claim.grant)
    assert grant.sessions == (f"{first}:1:{HASH}", f"{second}:1:{HASH}")


async def test_a_fresh_grant_comes_with_a_heartbeat(stand: Stand) -> None:
    await stand.create()
    claim = await stand.started()
    grants = []
    for _ in range(32):
        stand.clock.advance(seconds=10)
        answer = await stand.work("Heartbeat", wpb.HeartbeatRequest(lease=claim.lease))
        grants.append(answer.grant)
    (fresh,) = [grant for grant in grants if grant]
    assert (await stand.grants.verify(fresh)).epoch == 1


@pytest.mark.parametrize("method", list(writes(wpb.Lease())))
async def test_an_older_epoch_is_refused(stand: Stand, method: str) -> None:
    session_id = await stand.create()
    first = await stand.started()
    await stand.begin(first.lease, "read")
    await stand.sweep(15)
    await stale(stand, method, writes(first.lease)[method])
    second = await stand.started("w2")
    await stand.begin(second.lease, "read")
    assert second.lease.epoch > first.lease.epoch
    before = await stand.history(session_id)
    await stale(stand, method, writes(first.lease)[method])
    assert await stand.history(session_id) == before
    assert await stand.status(session_id) == "running"


@pytest.mark.parametrize("method", list(writes(wpb.Lease())))
async def test_a_claim_is_its_workers_own(stand: Stand, method: str) -> None:
    await stand.create()
    claim = await stand.started()
    lease = wpb.Lease(session_id=claim.lease.session_id, epoch=claim.lease.epoch, worker_id="thief")
    await stale(stand, method, writes(lease)[method])
    lease = wpb.Lease(session_id="nonsense", epoch=1, worker_id="w1")
    await stale(stand, method, writes(lease)[method])


async def test_what_is_told_twice_counts_once(stand: Stand) -> None:
    session_id = await stand.create()
    claim = await stand.started()
    for stage in STAGES:
        await stand.begin(claim.lease, stage)
        await stand.begin(claim.lease, stage)
        await stand.checkpoint(claim.lease, stage, document_read=1)
        await stand.checkpoint(claim.lease, stage, document_read=1)
    await stand.complete(claim.lease)
    await stand.complete(claim.lease)
    assert stand.books.settled[session_id][0] == SCALE + 60_000
    assert len((await stand.metrics(session_id)).cost_breakdown.items) == 4


async def test_another_owners_first_session_starts_within_two_claims(stand: Stand) -> None:
    stand.books.balance = 10**12
    for _ in range(30):
        await stand.create("ada")
    for number in range(3):
        claim = await stand.claim(f"w{number}")
        assert claim is not None
    await stand.create("bob")
    owners = []
    for number in range(2):
        claim = await stand.claim(f"v{number}")
        assert claim is not None
        owners.append(claim.owner)
    assert "bob" in owners


async def test_owners_take_turns(stand: Stand) -> None:
    stand.books.balance = 10**12
    for owner in ("ada", "bob", "eve"):
        for _ in range(4):
            await stand.create(owner)
    owners = []
    for number in range(12):
        claim = await stand.claim(f"w{number}")
        assert claim is not None
        owners.append(claim.owner)
    for turn in range(4):
        assert set(owners[3 * turn : 3 * turn + 3]) == {"ada", "bob", "eve"}


async def test_an_owner_has_a_cap_and_nobody_saves_turns_up(stand: Stand) -> None:
    stand.books.balance = 10**12
    for _ in range(20):
        await stand.create("ada")
    held = [await stand.claim(f"w{number}") for number in range(9)]
    assert [claim is not None for claim in held] == [True] * 8 + [False]
    for _ in range(6):
        await stand.create("bob")
    assert [(await stand.claim(f"v{number}")).owner for number in range(5)] == ["bob"] * 5  # type: ignore[union-attr]
    for claim in held[:4]:
        assert claim is not None
        await stand.work("Release", wpb.ReleaseRequest(lease=claim.lease))
    await stand.create("eve")
    owners = [(await stand.claim(f"u{number}")).owner for number in range(3)]  # type: ignore[union-attr]
    assert "eve" in owners
    assert owners.count("ada") <= 2


async def test_an_owners_sessions_go_oldest_first(stand: Stand) -> None:
    made = []
    for _ in range(3):
        stand.clock.advance(seconds=1)
        made.append(await stand.create())
    claims = [await stand.claim(f"w{number}") for number in range(3)]
    assert [claim.lease.session_id for claim in claims if claim is not None] == made


async def test_claims_at_once_get_different_sessions(stand: Stand) -> None:
    stand.books.balance = 10**12
    for owner in ("ada", "bob", "eve"):
        for _ in range(4):
            await stand.create(owner)
    claims = await asyncio.gather(*(stand.claim(f"w{number}") for number in range(16)))
    taken = Counter(claim.lease.session_id for claim in claims if claim is not None)
    assert (len(taken), set(taken.values())) == (12, {1})


async def test_release_hands_back_and_counts_no_attempt(stand: Stand) -> None:
    session_id = await stand.create()
    for number in range(5):
        claim = await stand.started(f"w{number}")
        await stand.begin(claim.lease, "read")
        await stand.beat(claim.lease, "read", document_read=5)
        await stand.work("Release", wpb.ReleaseRequest(lease=claim.lease, reason="drain"))
        assert await stand.status(session_id) == "queued"
    assert stand.calls.said["research"] == 6
    metrics = await stand.metrics(session_id)
    assert metrics.performance_metrics.attempts == 5
    assert metrics.resource_usage.documents_read == 0


async def test_retryable_failures_end_after_the_last_attempt(stand: Stand) -> None:
    session_id = await stand.create()
    answers = []
    for number in range(3):
        claim = await stand.started(f"w{number}")
        request = wpb.FailRequest(
            lease=claim.lease, code="boom", message="It broke", stage="read", retryable=True, ours=True
        )
        answers.append((await stand.work("Fail", request)).requeued)
    assert answers == [True, True, False]
    session = await stand.get(session_id)
    assert pb.Session.Status.Name(session.status) == "failed"
    assert session.error_details.code == "boom"
    assert session.error_details.message == "Given up after 3 attempts; the last one failed: It broke"
    assert session.error_details.retryable
    assert stand.books.settled[session_id] == (0, 10 * SCALE)


async def test_the_sessions_own_failure_is_charged(stand: Stand) -> None:
    session_id = await stand.create()
    claim = await stand.started()
    await stand.stage(claim.lease, "read", document_read=2)
    await stand.work("Fail", wpb.FailRequest(lease=claim.lease, code="unusable_input", stage="think"))
    assert await stand.status(session_id) == "failed"
    assert stand.books.settled[session_id] == (SCALE + 40_000, 9 * SCALE - 40_000)


async def test_our_failure_is_not_charged_not_even_finished_stages(stand: Stand) -> None:
    session_id = await stand.create()
    claim = await stand.started()
    await stand.stage(claim.lease, "read", document_read=2)
    await stand.work("Fail", wpb.FailRequest(lease=claim.lease, code="bug", ours=True))
    assert stand.books.settled[session_id] == (0, 10 * SCALE)
    cost = (await stand.metrics(session_id)).cost_breakdown
    assert (cost.held, cost.charged, cost.released) == ("10.00", "0.00", "10.00")
    assert {item.amount for item in cost.items} == {"0.00"}


@pytest.mark.parametrize("ending", ["cancel", "complete", "both"])
async def test_cancel_and_complete_have_one_winner(stand: Stand, ending: str) -> None:
    session_id = await stand.create()
    claim = await stand.started()
    for stage in STAGES:
        await stand.stage(claim.lease, stage, document_read=1)

    async def cancel() -> str:
        try:
            await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
        except PrsmError as error:
            return error.name
        return "cancelled"

    async def complete() -> str:
        try:
            await stand.complete(claim.lease)
        except PrsmError as error:
            return error.name
        return "completed"

    if ending == "cancel":
        outcomes = [await cancel(), await complete()]
    elif ending == "complete":
        outcomes = [await complete(), await cancel()]
    else:
        outcomes = list(await asyncio.gather(cancel(), complete()))
    status = await stand.status(session_id)
    assert status in outcomes
    losers = {"completed": "SESSION_CANNOT_BE_CANCELLED", "cancelled": "STALE_EPOCH"}
    assert losers[status] in outcomes
    captured, released = stand.books.settled[session_id]
    assert captured + released == 10 * SCALE
    history = await stand.history(session_id)
    assert [a["kind"] for a in history["resource_allocations"]].count("capture") == 1


async def test_a_grant_of_a_thousand_documents_crosses_the_wire(stand: Stand) -> None:
    names = [f"01890000-0000-7000-8000-{number:012d}" for number in range(1000)]
    stand.shelves.documents = set(names)
    inputs = pb.Inputs(documents=[pb.DocumentInput(document_id=name) for name in names])
    await stand.create(inputs=inputs)
    claim = await stand.claim()
    assert claim is not None
    assert (await stand.grants.verify(claim.grant)).documents == tuple(names)
    peer = stand.identities.peer("worker", "session")
    request = wpb.ClaimNextRequest(worker_id="w2", engines=["research"])
    answer = await peer.call(stand.workers.ClaimNext, request, timeout=60, extra=[(METADATA_KEY, claim.grant)])
    assert not answer.HasField("claim")
