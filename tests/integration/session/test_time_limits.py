"""A time limit counts running time and nothing else, and holds whether or not a worker is there to keep it."""

from __future__ import annotations

import pytest

from kit.db.database import Database
from kit.money import SCALE
from prsm.session.v1 import internal_pb2
from tests.integration.session.stand import HASH, STAGES, Stand, pb, wpb

HOUR = 3600.0


@pytest.fixture
def db(file_db: Database) -> Database:
    """Nothing here depends on the database."""
    return file_db


async def limited(stand: Stand) -> str:
    """A session that may run for a minute."""
    return await stand.create(preferences=pb.Preferences(time_limit_minutes=1))


async def works(stand: Stand, lease: wpb.Lease, seconds: int) -> str:
    """The last directive."""
    told = ""
    for _ in range(seconds):
        stand.clock.advance(seconds=1)
        told = await stand.beat(lease, "read", document_read=1)
    return told


async def test_a_worker_that_overruns_is_stopped(stand: Stand) -> None:
    session_id = await limited(stand)
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    assert await works(stand, claim.lease, 50) == "GO_ON"
    assert await works(stand, claim.lease, 1) == "WRITE_UP"
    assert await works(stand, claim.lease, 8) == "WRITE_UP"
    assert await works(stand, claim.lease, 1) == "CANCEL"
    session = await stand.get(session_id)
    assert pb.Session.Status.Name(session.status) == "timeout"
    assert session.error_details.code == "time_limit_exceeded"


async def test_what_is_written_when_time_runs_out_is_delivered(stand: Stand) -> None:
    session_id = await limited(stand)
    claim = await stand.started()
    for stage in STAGES[:-1]:
        await stand.stage(claim.lease, stage)
    await stand.begin(claim.lease, STAGES[-1])
    for _ in range(55):
        stand.clock.advance(seconds=1)
        told = await stand.beat(claim.lease, STAGES[-1])
    assert told == "WRITE_UP"
    stand.clock.advance(seconds=1)
    assert await stand.checkpoint(claim.lease, STAGES[-1]) == "WRITE_UP"
    assert await stand.beat(claim.lease) == "WRITE_UP"
    await stand.complete(claim.lease)
    assert await stand.status(session_id) == "completed"


async def test_the_service_keeps_it_when_no_worker_is_alive(stand: Stand) -> None:
    session_id = await limited(stand)
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    await works(stand, claim.lease, 59)
    await stand.sweep(1)
    assert await stand.status(session_id) == "timeout"
    await stand.sweep(3)
    assert stand.books.settled[session_id] == (SCALE + 20_000, 9 * SCALE - 20_000)


async def test_attempts_share_one_limit(stand: Stand) -> None:
    session_id = await limited(stand)
    for number in range(2):
        claim = await stand.started(f"w{number}")
        await stand.begin(claim.lease, "read")
        assert await works(stand, claim.lease, 25) == "GO_ON"
        await stand.work("Release", wpb.ReleaseRequest(lease=claim.lease))
    claim = await stand.started("w9")
    await stand.begin(claim.lease, "read")
    assert await works(stand, claim.lease, 9) == "WRITE_UP"
    assert await works(stand, claim.lease, 1) == "CANCEL"
    assert await stand.status(session_id) == "timeout"


async def test_queued_initializing_and_paused_time_does_not_count(stand: Stand) -> None:
    session_id = await limited(stand)
    stand.clock.advance(seconds=HOUR)
    await stand.sweep()
    claim = await stand.claim()
    assert claim is not None
    await stand.sweep(10)
    await stand.beat(claim.lease)
    stages = [wpb.StagePlan(stage=stage, weight=1) for stage in STAGES]
    await stand.work("Start", wpb.StartRequest(lease=claim.lease, stages=stages))
    stand.clock.advance(seconds=1)
    await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
    stand.clock.advance(seconds=24 * HOUR)
    await stand.sweep(5)
    assert await stand.status(session_id) == "paused"
    await stand.call("ada", "ResumeSession", pb.ResumeSessionRequest(session_id=session_id))
    stand.clock.advance(seconds=HOUR)
    await stand.sweep(5)
    assert await stand.status(session_id) == "queued"
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    assert await works(stand, claim.lease, 49) == "GO_ON"
    metrics = await stand.metrics(session_id)
    assert metrics.execution_time == 50
    performance = metrics.performance_metrics
    assert performance.queue_seconds == 2 * HOUR + 5
    assert performance.initializing_seconds == 10
    assert performance.paused_seconds == 24 * HOUR + 5


async def test_an_outage_counts_as_one_beat(stand: Stand) -> None:
    session_id = await limited(stand)
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    await works(stand, claim.lease, 10)
    stand.clock.advance(seconds=HOUR)
    await stand.sweep()
    await stand.beat(claim.lease, "read")
    assert (await stand.metrics(session_id)).execution_time == 12


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_clock_that_is_set_moves_the_running_time_by_a_beat_at_most(stand: Stand, jump: float) -> None:
    session_id = await limited(stand)
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    await works(stand, claim.lease, 10)
    for _ in range(3):
        stand.clock.jump(seconds=jump)
        await stand.sweep()
        assert await works(stand, claim.lease, 5) == "GO_ON"
    metrics = await stand.metrics(session_id)
    assert 22 <= metrics.execution_time <= 28
    assert await works(stand, claim.lease, 61 - metrics.execution_time) == "CANCEL"


async def test_no_duration_is_negative_when_the_clock_is_set_back(stand: Stand) -> None:
    session_id = await limited(stand)
    stand.clock.jump(seconds=-HOUR)
    claim = await stand.claim()
    assert claim is not None
    stand.clock.jump(seconds=-HOUR)
    stages = [wpb.StagePlan(stage=stage, weight=1) for stage in STAGES]
    await stand.work("Start", wpb.StartRequest(lease=claim.lease, stages=stages))
    stand.clock.jump(seconds=-HOUR)
    await stand.begin(claim.lease, "read")
    stand.clock.jump(seconds=-HOUR)
    await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
    stand.clock.jump(seconds=-HOUR)
    await stand.call("ada", "ResumeSession", pb.ResumeSessionRequest(session_id=session_id))
    metrics = await stand.metrics(session_id)
    performance = metrics.performance_metrics
    assert (metrics.execution_time, performance.queue_seconds, performance.initializing_seconds) == (0, 0, 0)
    assert performance.paused_seconds == 0
    assert all(moved.get("seconds", 0) >= 0 for moved in (await stand.history(session_id))["stage_transitions"])


async def told(stand: Stand, session_id: str) -> tuple[int, str]:
    """What results is told of the session's result document."""
    peer = stand.identities.peer("results", "session")
    request = internal_pb2.LookUpSessionRequest(session_id=session_id)
    found = await peer.call(stand.internal.LookUpSession, request, timeout=60)
    return found.result_epoch, found.result_hash


async def found_so_far(stand: Stand, session_id: str) -> wpb.Claim:
    """A claim whose first stage ended with a result document."""
    claim = await stand.started()
    await stand.begin(claim.lease, STAGES[0])
    request = wpb.CheckpointRequest(
        lease=claim.lease, stage=STAGES[0], hash=HASH, result_hash=HASH, cited_document_ids=["d1"]
    )
    await stand.work("Checkpoint", request)
    assert await told(stand, session_id) == (0, "")
    return claim


async def test_what_was_found_when_time_was_up_can_be_read(stand: Stand) -> None:
    session_id = await limited(stand)
    claim = await found_so_far(stand, session_id)
    await stand.begin(claim.lease, STAGES[1])
    assert await works(stand, claim.lease, 60) == "CANCEL"
    assert pb.Session.Status.Name((await stand.get(session_id)).status) == "timeout"
    assert await told(stand, session_id) == (1, HASH)


async def test_what_was_found_before_a_failure_or_a_cancel_cannot(stand: Stand) -> None:
    session_id = await limited(stand)
    claim = await found_so_far(stand, session_id)
    await stand.work("Fail", wpb.FailRequest(lease=claim.lease, code="bad", message="Bad", stage=STAGES[1]))
    assert await stand.status(session_id) == "failed"
    assert await told(stand, session_id) == (0, "")
