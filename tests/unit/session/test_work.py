"""What workers do: stages, progress, limits, ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ValidationError
from kit.money import SCALE
from kit.times import MINUTE, SECOND
from services.session import lifecycle, work
from services.session.decisions import Decision
from services.session.domain import Kind, OnLimit, PlannedStage, Session, Status
from services.session.errors import SessionCannotBePaused, StaleEpoch
from services.session.work import Directive, Lease, Resources
from tests.unit.session.build import FTNS, PLAN, POLICY, T0, beat, claimed, in_stage, queued, running


def checkpoint(session: Session, stage: str, now: int = T0, **usage: int) -> Session:
    quantities = {item: quantity * SCALE for item, quantity in usage.items()}
    return work.checkpoint(session, stage, "h", quantities, (), Resources(), FTNS, now, POLICY).after


def test_only_the_holder_of_the_epoch_may_write() -> None:
    session = claimed()
    assert work.check_lease(session, Lease("s1", 1, "w1")) is session
    for lease in (Lease("s1", 0, "w1"), Lease("s1", 2, "w1"), Lease("s1", 1, "w2")):
        with pytest.raises(StaleEpoch):
            work.check_lease(session, lease)
    with pytest.raises(StaleEpoch):
        work.check_lease(None, Lease("s1", 1, "w1"))


@pytest.mark.parametrize("end", ["pause", "cancel", "time_out", "requeue", "complete"])
def test_whatever_takes_a_session_away_fences_its_worker(end: str) -> None:
    session = running()
    lease = Lease("s1", session.epoch, "w1")
    after = {
        "pause": lambda: lifecycle.pause(session, "ada", T0, POLICY),
        "cancel": lambda: lifecycle.cancel(session, "ada", "", FTNS, T0, POLICY),
        "time_out": lambda: lifecycle.time_out(session, FTNS, T0, POLICY),
        "requeue": lambda: lifecycle.requeue(session, "released", "w", {}, T0, POLICY),
        "complete": lambda: work.complete(session, "h", {}, (), Resources(), FTNS, T0, POLICY),
    }[end]().after
    assert after.epoch == session.epoch + 1
    assert after.lease_until is None
    with pytest.raises(StaleEpoch):
        work.check_lease(after, lease)


def test_start_marks_the_stages_that_have_a_checkpoint() -> None:
    after = work.start(claimed(), PLAN, ("read",), T0, POLICY).after
    assert after.status is Status.RUNNING
    assert [p.done for p in after.plan] == [True, False, False]


def test_a_stage_begun_again_under_its_epoch_keeps_its_usage() -> None:
    session = work.heartbeat(in_stage(), beat(document_read=3), FTNS, T0, POLICY).after
    again = work.begin_stage(session, "read", FTNS, T0, POLICY)
    assert again.entries == []
    assert again.after.open_stage == session.open_stage


def test_a_stage_begun_again_under_a_new_epoch_starts_from_nothing() -> None:
    session = work.heartbeat(in_stage(), beat(document_read=3), FTNS, T0, POLICY).after
    paused = lifecycle.pause(session, "ada", T0, POLICY).after
    assert paused.open_stage is not None
    assert paused.open_stage.usage == {"document_read": 3 * SCALE}
    resumed = lifecycle.claim(lifecycle.resume(paused, "ada", T0, POLICY).after, "w2", T0, POLICY).after
    started = work.start(resumed, PLAN, (), T0, POLICY).after
    begun = work.begin_stage(started, "read", FTNS, T0, POLICY).after
    assert begun.open_stage is not None
    assert begun.open_stage.usage == {}


def test_usage_of_a_stage_interrupted_by_another_epoch_is_not_taken_up() -> None:
    session = in_stage()
    late = work.heartbeat(session, beat("think", document_read=3), FTNS, T0, POLICY).after
    assert late.open_stage == session.open_stage


def test_stages_that_cannot_begin() -> None:
    with pytest.raises(ValidationError):
        work.begin_stage(running(), "dance", FTNS, T0, POLICY)
    with pytest.raises(ValidationError):
        work.begin_stage(checkpoint(in_stage(), "read"), "read", FTNS, T0, POLICY)


def test_a_checkpoint_needs_its_stage_to_be_open() -> None:
    with pytest.raises(ValidationError):
        checkpoint(running(), "read")
    with pytest.raises(ValidationError):
        checkpoint(in_stage("read"), "think")


def test_a_checkpoint_charges_tells_and_decides() -> None:
    decision = Decision("searched", "It was asked for", ["not to"], [{"document_id": "d1"}])
    change = work.checkpoint(
        in_stage(), "read", "h", {"document_read": 2 * SCALE}, [decision], Resources(), FTNS, T0, POLICY
    )
    assert change.after.charged == SCALE + 40_000
    assert change.finished is not None
    assert (change.finished.stage, change.finished.epoch, change.finished.hash) == ("read", 1, "h")
    assert [entry.type for entry in change.entries] == ["decision.made", "stage.completed"]
    assert change.entries[0].kind is Kind.DECISION
    assert change.entries[0].detail["excluded"] == [{"document_id": "d1"}]


def test_progress_follows_weights() -> None:
    session = work.heartbeat(in_stage(), beat(done=0.5), FTNS, T0, POLICY).after
    assert session.progress == 12
    session = checkpoint(session, "read")
    assert session.progress == 25
    session = work.begin_stage(session, "think", FTNS, T0, POLICY).after
    assert work.heartbeat(session, beat("think", 0.5), FTNS, T0, POLICY).after.progress == 50


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_progress_never_falls_nor_ends_before_the_session(done: list[float]) -> None:
    session = in_stage("write")
    session.plan = (PlannedStage("write", 1),)
    seen = [0]
    for share in done:
        session = work.heartbeat(session, beat("write", share), FTNS, T0, POLICY).after
        seen.append(session.progress)
    assert seen == sorted(seen)
    assert seen[-1] <= 99


def test_running_time_grows_by_at_most_two_seconds_a_heartbeat() -> None:
    session = running()
    session = work.heartbeat(session, beat(), FTNS, T0 + SECOND, POLICY).after
    assert session.running == SECOND
    session = work.heartbeat(session, beat(), FTNS, T0 + 60 * SECOND, POLICY).after
    assert session.running == 3 * SECOND
    session = work.heartbeat(session, beat(), FTNS, T0, POLICY).after
    assert session.running == 3 * SECOND


def test_queued_initializing_and_paused_time_is_kept_apart() -> None:
    session = claimed(T0 + 10 * SECOND)
    session = work.start(session, PLAN, (), T0 + 14 * SECOND, POLICY).after
    session = lifecycle.pause(session, "ada", T0 + 15 * SECOND, POLICY).after
    session = lifecycle.resume(session, "ada", T0 + 115 * SECOND, POLICY).after
    session = lifecycle.claim(session, "w2", T0 + 120 * SECOND, POLICY).after
    seconds = [t / SECOND for t in (session.queued, session.initializing, session.running, session.paused)]
    assert seconds == [15, 4, 1, 100]


def test_writing_up_begins_at_the_share_of_the_time_limit() -> None:
    session = running(time_limit=MINUTE)
    session.running = 50 * SECOND
    change = work.heartbeat(session, beat(), FTNS, T0 + SECOND, POLICY)
    assert change.after.write_up
    assert work.directive(change.after) is Directive.WRITE_UP
    assert [(e.type, e.detail) for e in change.entries] == [("session.writing_up", {"reason": "time_limit"})]
    assert work.heartbeat(change.after, beat(), FTNS, T0 + 2 * SECOND, POLICY).entries == []


def test_writing_up_begins_when_only_its_share_is_left() -> None:
    session = work.heartbeat(in_stage(), beat(document_read=382), FTNS, T0, POLICY).after
    assert not session.write_up
    change = work.heartbeat(session, beat(document_read=383), FTNS, T0, POLICY)
    assert change.after.write_up
    assert change.entries[0].detail == {"reason": "budget"}


def test_who_would_rather_fail_fails_at_the_budget() -> None:
    session = in_stage(on_limit=OnLimit.FAIL)
    session = work.heartbeat(session, beat(document_read=450), FTNS, T0, POLICY).after
    assert session.status is Status.RUNNING
    after = work.heartbeat(session, beat(document_read=451), FTNS, T0, POLICY).after
    assert after.status is Status.FAILED
    assert after.error is not None
    assert after.error["code"] == "budget_exceeded"
    assert (after.charged, after.released) == (10 * SCALE, 0)


def test_who_would_rather_fail_fails_at_a_checkpoint_too() -> None:
    after = checkpoint(in_stage(on_limit=OnLimit.FAIL), "read", document_read=451)
    assert after.status is Status.FAILED
    assert after.charged == 10 * SCALE


def test_who_would_rather_finish_is_charged_no_more_than_reserved() -> None:
    after = checkpoint(in_stage(), "read", document_read=10_000)
    assert after.status is Status.RUNNING
    assert after.charged == 8_650_000
    assert after.write_up


def test_a_lost_worker_is_replaced_and_its_open_stage_forgotten() -> None:
    session = work.heartbeat(in_stage(), beat(document_read=3), FTNS, T0, POLICY).after
    change = lifecycle.lose(session, "worker_lost", FTNS, T0 + 20 * SECOND, POLICY)
    assert change.after.status is Status.QUEUED
    assert change.after.failures == 1
    assert change.after.open_stage is None
    assert change.entries[-1].detail["reason"] == "worker_lost"


def test_after_the_last_attempt_nobody_is_charged() -> None:
    session = checkpoint(in_stage(), "read", document_read=2)
    session.failures = 2
    change = lifecycle.lose(session, "worker_lost", FTNS, T0, POLICY)
    assert change.after.status is Status.FAILED
    assert change.waived
    assert (change.after.charged, change.after.released) == (0, 10 * SCALE)
    assert change.after.error is not None
    assert change.after.error["code"] == "worker_lost"


@pytest.mark.parametrize(
    ("failures", "retryable", "ours", "status", "charged"),
    [
        (0, True, True, "queued", SCALE + 40_000),
        (1, True, True, "queued", SCALE + 40_000),
        (2, True, True, "failed", 0),
        (2, True, False, "failed", SCALE + 40_000),
        (0, False, False, "failed", SCALE + 40_000),
        (0, False, True, "failed", 0),
    ],
)
def test_giving_up(failures: int, retryable: bool, ours: bool, status: str, charged: int) -> None:
    session = checkpoint(in_stage(), "read", document_read=2)
    session.failures = failures
    error = {"code": "boom", "message": "It broke", "stage": "read", "retryable": retryable}
    after = work.give_up(session, error, FTNS, T0, POLICY, retryable=retryable, ours=ours).after
    assert (after.status.value, after.charged, after.failures) == (status, charged, failures + 1)


def test_releasing_is_no_failure() -> None:
    after = lifecycle.requeue(in_stage(), "released", "worker:w1", {}, T0, POLICY).after
    assert (after.status, after.failures, after.attempts) == (Status.QUEUED, 0, 1)


def test_running_totals_of_claims_add_up() -> None:
    session = work.heartbeat(
        running(), work.Beat("", 0, {}, Resources(cpu=5, peak_memory=7, bytes_stored=3)), FTNS, T0, POLICY
    ).after
    session = work.heartbeat(
        session, work.Beat("", 0, {}, Resources(cpu=4, peak_memory=6, bytes_stored=2)), FTNS, T0, POLICY
    ).after
    session = lifecycle.claim(lifecycle.requeue(session, "released", "w", {}, T0, POLICY).after, "w2", T0, POLICY).after
    session = work.start(session, PLAN, (), T0, POLICY).after
    session = work.heartbeat(session, work.Beat("", 0, {}, Resources(10, 1, 10)), FTNS, T0, POLICY).after
    assert session.cpu + session.cpu_claim == 15
    assert session.bytes_stored + session.bytes_claim == 13
    assert session.peak_memory == 7


def test_a_completion_told_twice_is_known() -> None:
    session = running()
    lease = Lease("s1", session.epoch, "w1")
    after = work.complete(session, "h", {"partial": True}, ("d1",), Resources(), FTNS, T0, POLICY).after
    assert after.progress == 100
    assert work.told_before(after, lease, "h")
    assert not work.told_before(after, lease, "other")
    assert not work.told_before(after, Lease("s1", 9, "w1"), "h")


def test_an_engine_may_not_be_pausable() -> None:
    with pytest.raises(SessionCannotBePaused) as refused:
        lifecycle.pause(running(pausable=False), "ada", T0, POLICY)
    assert "cannot be paused" in str(refused.value.message)


def test_what_changes_nothing_leaves_the_read_session_alone() -> None:
    session = queued()
    lifecycle.claim(session, "w1", T0, POLICY)
    assert session.status is Status.QUEUED
    assert session.epoch == 0
