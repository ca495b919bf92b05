"""A session's life over gRPC, from the request to the settlement."""

from __future__ import annotations

import pytest

from kit.errors import PrsmError
from kit.money import SCALE, show
from tests.integration.session.stand import HASH, STAGES, Stand, pb


async def test_from_create_to_completed(stand: Stand) -> None:
    session_id = await stand.create()
    assert await stand.status(session_id) == "queued"
    claim = await stand.started()
    assert claim.lease.session_id == session_id
    assert await stand.status(session_id) == "running"
    for stage in STAGES:
        await stand.stage(claim.lease, stage, document_read=2)
    await stand.complete(claim.lease)
    session = await stand.get(session_id)
    assert pb.Session.Status.Name(session.status) == "completed"
    assert session.progress == 100
    assert session.results.key_findings[0].text == "Rivers carry salt."
    assert session.resource_usage.documents_read == 6
    charged = 1 * SCALE + 6 * 20_000
    assert stand.books.settled[session_id] == (charged, 10 * SCALE - charged)


async def test_history_counts_without_gaps(stand: Stand) -> None:
    session_id = await stand.completed()
    history = await stand.history(session_id)
    assert [event["seq"] for event in history["timeline"]] == list(range(1, len(history["timeline"]) + 1))
    assert [t["to"] for t in history["stage_transitions"]] == [*STAGES, "completed"]
    kinds = [a["kind"] for a in history["resource_allocations"]]
    assert kinds == ["hold", "worker", "lease", *["reservation"] * 3, "capture", "release"]
    assert history["timeline"][-1]["type"] == "session.completed"


async def test_pause_fences_the_worker_and_resume_goes_on_from_the_checkpoint(stand: Stand) -> None:
    session_id = await stand.create()
    first = await stand.started()
    await stand.stage(first.lease, "read", document_read=1)
    await stand.begin(first.lease, "think")
    paused = await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
    assert pb.Session.Status.Name(paused.status) == "paused"
    assert await stand.beat(first.lease, "think") == "PAUSE"
    with pytest.raises(PrsmError) as refused:
        await stand.checkpoint(first.lease, "think")
    assert refused.value.name == "STALE_EPOCH"
    resumed = await stand.call("ada", "ResumeSession", pb.ResumeSessionRequest(session_id=session_id))
    assert pb.Session.Status.Name(resumed.status) == "queued"
    second = await stand.started("w2")
    assert [(s.stage, s.hash) for s in second.stages] == [("read", HASH)]
    for stage in STAGES[1:]:
        await stand.stage(second.lease, stage)
    await stand.complete(second.lease)
    assert stand.books.settled[session_id][0] == 1 * SCALE + 20_000


async def test_cancel_settles_before_it_answers(stand: Stand) -> None:
    session_id = await stand.create()
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    await stand.beat(claim.lease, "read", 0.5, document_read=3)
    cancelled = await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
    assert cancelled.refund_amount == "8.94"
    assert stand.books.settled[session_id] == (1_060_000, 8_940_000)
    assert await stand.beat(claim.lease, "read") == "CANCEL"


@pytest.mark.parametrize("status", ["queued", "initializing", "running", "paused"])
async def test_cancel_ends_whatever_has_not_ended_and_settles_once(stand: Stand, status: str) -> None:
    session_id = await stand.create()
    lease = None
    if status == "initializing":
        claim = await stand.claim()
        assert claim is not None
        lease = claim.lease
    elif status != "queued":
        lease = (await stand.started()).lease
        await stand.stage(lease, "read", document_read=1)
    if status == "paused":
        await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
    assert await stand.status(session_id) == status
    cancelled = await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
    charged = 0 if status in ("queued", "initializing") else SCALE + 20_000
    assert (cancelled.refund_amount, stand.books.settled) == (
        show(10 * SCALE - charged),
        {session_id: (charged, 10 * SCALE - charged)},
    )
    if lease is not None:
        assert await stand.beat(lease) == "CANCEL"
    assert await stand.claim("w2") is None
    before = await stand.history(session_id)
    await stand.sweep(20)
    assert await stand.status(session_id) == "cancelled"
    assert await stand.history(session_id) == before
    assert [a["kind"] for a in before["resource_allocations"]].count("release") == 1


async def test_time_limit_counts_running_time_only(stand: Stand) -> None:
    session_id = await stand.create(preferences=pb.Preferences(time_limit_minutes=1))
    stand.clock.advance(seconds=600)
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    directives = []
    for _ in range(60):
        stand.clock.advance(seconds=1)
        directives.append(await stand.beat(claim.lease, "read"))
    assert directives[49:] == ["GO_ON", *["WRITE_UP"] * 9, "CANCEL"]
    session = await stand.get(session_id)
    assert pb.Session.Status.Name(session.status) == "timeout"
    assert session.error_details.code == "time_limit_exceeded"


@pytest.mark.parametrize("method", ["PauseSession", "CancelSession"])
async def test_a_key_makes_a_retry_harmless(stand: Stand, method: str) -> None:
    session_id = await stand.create()
    await stand.started()
    request = getattr(pb, f"{method}Request")(session_id=session_id)
    key = ("idempotency-key", "k1")
    first = await stand.call("ada", method, request, key)
    stand.clock.advance(seconds=5)
    before = await stand.history(session_id)
    assert await stand.call("ada", method, request, key) == first
    assert await stand.history(session_id) == before
    with pytest.raises(PrsmError) as refused:
        await stand.call("ada", method, request)
    assert refused.value.name.startswith("SESSION_CANNOT_BE_")
