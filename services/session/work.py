"""What workers do to a session: pure functions from a session to a change. The caller has checked the epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from kit.errors import ValidationError
from services.session import accounting
from services.session.decisions import Decision, bounded
from services.session.domain import (
    COMPLETE,
    STAGE,
    START,
    TERMINAL,
    WORK,
    Change,
    Entry,
    FinishedStage,
    JsonObject,
    Kind,
    OnLimit,
    OpenStage,
    PlannedStage,
    Policy,
    Session,
    Status,
)
from services.session.errors import StaleEpoch
from services.session.lifecycle import allocation, begin, end, fail, requeue, time_out


class Directive(Enum):
    """What a worker is told to do next."""

    GO_ON = "go_on"
    PAUSE = "pause"
    CANCEL = "cancel"
    WRITE_UP = "write_up"


@dataclass(frozen=True, slots=True)
class Lease:
    """The claim that a worker's write belongs to."""

    session_id: str
    epoch: int
    worker_id: str


@dataclass(frozen=True, slots=True)
class Resources:
    """Running totals of one claim. `cpu` in microseconds, the others in bytes."""

    cpu: int = 0
    peak_memory: int = 0
    bytes_stored: int = 0


@dataclass(frozen=True, slots=True)
class SoFar:
    """The artifact of a result document of the stages so far, and the documents that it cites."""

    artifact: str
    cited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat: `done` is the share of the stage that is done, `usage` its running totals by item."""

    stage: str
    done: float
    usage: Mapping[str, int]
    resources: Resources


def holds(session: Session, lease: Lease) -> bool:
    return session.status not in TERMINAL and session.epoch == lease.epoch and session.worker_id == lease.worker_id


def check_lease(session: Session | None, lease: Lease) -> Session:
    """Raises StaleEpoch for an older epoch, and for a session that is not held or not there."""
    if session is None:
        raise StaleEpoch("")
    if not holds(session, lease):
        raise StaleEpoch(session.status.value)
    return session


def told_before(session: Session, lease: Lease, artifact: str) -> bool:
    """Whether this very claim completed the session with this very result."""
    return session.status is Status.COMPLETED and (session.result_epoch, session.result_hash) == (lease.epoch, artifact)


def directive(session: Session) -> Directive:
    """What the holder of a session, or who held it until a moment ago, is to do."""
    if session.terminal:
        return Directive.CANCEL
    if session.status is Status.PAUSED:
        return Directive.PAUSE
    return Directive.WRITE_UP if session.write_up else Directive.GO_ON


def start(
    session: Session, stages: Sequence[PlannedStage], finished: Sequence[str], now: int, policy: Policy
) -> Change:
    """Initializing becomes running. `finished` are the stages that have a checkpoint.

    Raises ValidationError when two stages have the same name.
    """
    if len({stage.stage for stage in stages}) < len(stages):
        raise ValidationError.of("stages", "no two may have the same name")
    change = begin(session, START, now, policy)
    after = change.after
    after.plan = tuple(replace(stage, done=stage.stage in finished) for stage in stages)
    after.beat_at = now
    after.started_at = after.started_at or after.updated_at
    _extend(after, now, policy)
    actor = f"worker:{session.worker_id}"
    change.entries.append(Entry("session.running", actor, {"stages": [stage.stage for stage in stages]}))
    change.event = "session.running"
    return change


def begin_stage(session: Session, stage: str, currency: str, now: int, policy: Policy) -> Change:
    """Reserve money for a stage. Again under the same epoch it changes nothing; under a new one it starts afresh.

    Raises ValidationError for a stage that is not planned or has its checkpoint already.
    """
    planned = next((p for p in session.plan if p.stage == stage), None)
    if planned is None:
        raise ValidationError.of("stage", "is not among the stages given at Start")
    if planned.done:
        raise ValidationError.of("stage", "is finished: go on with the next one")
    change = begin(session, STAGE, now, policy)
    after = change.after
    _extend(after, now, policy)
    open_stage = session.open_stage
    if open_stage is not None and open_stage.stage == stage and open_stage.epoch == session.epoch:
        return change
    after.open_stage = OpenStage(stage, session.epoch, accounting.reservation(after, stage, policy))
    actor = f"worker:{session.worker_id}"
    moved = {"from": session.current_stage, "to": stage, "seconds": after.stage_running / 1e6}
    change.entries.append(Entry("stage.started", actor, moved, Kind.STAGE))
    detail: JsonObject = {"stage": stage}
    change.entries.append(allocation("reservation", actor, currency, detail, after.open_stage.reserved))
    after.current_stage = stage
    after.stage_running = 0
    return change


def heartbeat(session: Session, beat: Beat, currency: str, now: int, policy: Policy) -> Change:
    """Keep the lease, take usage and progress, and see whether a limit is reached."""
    change = begin(session, WORK, now, policy)
    after = change.after
    _extend(after, now, policy)
    _measure(after, beat.resources)
    open_stage = after.open_stage
    overspent = False
    if open_stage is not None and open_stage.stage == beat.stage and open_stage.epoch == session.epoch:
        usage = accounting.accept(open_stage, beat.usage)
        after.open_stage = replace(open_stage, usage=usage)
        after.progress = _progress(after, beat.done)
        overspent = accounting.cost(after, accounting.billed(after, usage)) > open_stage.reserved
    return _limits(change, currency, now, policy, overspent=overspent)


def checkpoint(
    session: Session,
    stage: str,
    artifact: str,
    usage: Mapping[str, int],
    decisions: Sequence[Decision],
    resources: Resources,
    currency: str,
    now: int,
    policy: Policy,
    *,
    so_far: SoFar | None = None,
) -> Change:
    """End a stage: its usage is charged, at most its reservation. `so_far` is what can be read should the session time
    out; without it the one before stands.

    Raises ValidationError when the stage was not begun under this epoch.
    """
    change = begin(session, STAGE, now, policy)
    after = change.after
    _extend(after, now, policy)
    _measure(after, resources)
    open_stage = after.open_stage
    if open_stage is None or open_stage.stage != stage or open_stage.epoch != session.epoch:
        raise ValidationError.of("stage", "was not begun: call BeginStage first")
    actor = f"worker:{session.worker_id}"
    quantities = accounting.billed(after, accounting.accept(open_stage, usage))
    cap = min(open_stage.reserved, accounting.remaining(after))
    change.charges = accounting.charge(after, stage, quantities, cap)
    amount = sum(charge.amount for charge in change.charges)
    after.charged += amount
    after.usage = accounting.added(after.usage, quantities)
    after.open_stage = None
    if so_far is not None:
        after.result_epoch, after.result_hash, after.cited = session.epoch, so_far.artifact, so_far.cited
    after.plan = tuple(replace(p, done=True) if p.stage == stage else p for p in after.plan)
    after.progress = _progress(after, 0.0)
    change.finished = FinishedStage(stage, session.epoch, artifact, after.stage_running, now)
    change.entries += [_decided(decision, stage, actor) for decision in bounded(decisions)]
    change.entries.append(Entry("stage.completed", actor, {"stage": stage, "seconds": after.stage_running / 1e6}))
    overspent = accounting.cost(session, quantities) > cap
    return _limits(change, currency, now, policy, overspent=overspent)


def complete(
    session: Session,
    artifact: str,
    results: JsonObject,
    cited: Sequence[str],
    resources: Resources,
    currency: str,
    now: int,
    policy: Policy,
) -> Change:
    change = begin(session, COMPLETE, now, policy)
    after = change.after
    _measure(after, resources)
    after.progress = 100
    after.result_epoch = session.epoch
    after.result_hash = artifact
    after.results = results
    after.cited = tuple(cited)
    detail = {"partial": bool(results.get("partial"))}
    return end(change, "session.completed", f"worker:{session.worker_id}", detail, currency, now, policy)


def give_up(
    session: Session, error: JsonObject, currency: str, now: int, policy: Policy, *, retryable: bool, ours: bool
) -> Change:
    """A worker's attempt failed: queue again while it may be tried again and attempts are left, else end as failed."""
    actor = f"worker:{session.worker_id}"
    failures = session.failures + 1
    if retryable and failures < policy.max_failures:
        detail: JsonObject = {"code": error["code"], "message": error["message"], "failures": failures}
        change = requeue(session, "retry", actor, detail, now, policy)
    else:
        if retryable:
            said = f"Given up after {failures} attempts; the last one failed: {error['message']}"
            error = {**error, "message": said}
        change = fail(session, actor, error, currency, now, policy, ours=ours)
    change.after.failures = failures
    return change


def _extend(after: Session, now: int, policy: Policy) -> None:
    # Every sign of life must be seen in the row, also when the clock was set back onto a moment that it showed before.
    after.lease_until = max(now + policy.lease, (after.lease_until or 0) + 1)


def _measure(after: Session, resources: Resources) -> None:
    after.cpu_claim = max(after.cpu_claim, resources.cpu)
    after.bytes_claim = max(after.bytes_claim, resources.bytes_stored)
    after.peak_memory = max(after.peak_memory, resources.peak_memory)


def _progress(session: Session, done_in_stage: float) -> int:
    total = sum(p.weight for p in session.plan)
    if total <= 0:
        return session.progress
    done = sum(p.weight for p in session.plan if p.done)
    done += sum(p.weight for p in session.plan if p.stage == session.current_stage and not p.done) * done_in_stage
    # 100 is said only of a session that is completed.
    return max(session.progress, min(99, int(100 * done / total + 1e-9)))


def _decided(decision: Decision, stage: str, actor: str) -> Entry:
    detail: JsonObject = {
        "stage": stage,
        "decision": decision.decision,
        "reason": decision.reason,
        "alternatives": list(decision.alternatives),
        "excluded": list(decision.excluded),
    }
    if decision.left_unsaid:
        detail["excluded_unlisted"] = decision.left_unsaid
    return Entry("decision.made", actor, detail, Kind.DECISION)


def _limits(change: Change, currency: str, now: int, policy: Policy, *, overspent: bool) -> Change:
    """What reaching a limit does to a session that has just been heard of. `overspent`: a stage used more than was
    reserved for it."""
    after = change.after
    # When all stages are finished the result is stored and paid for; all that is to come is Complete.
    finished = bool(after.plan) and all(stage.done for stage in after.plan)
    if after.running >= after.time_limit and not finished:
        return _joined(change, time_out(after, currency, now, policy))
    if overspent and after.on_limit is OnLimit.FAIL:
        error: JsonObject = {
            "code": "budget_exceeded",
            "message": "The budget was spent before the session was finished",
            "stage": after.current_stage,
            "retryable": False,
        }
        return _joined(change, fail(after, "system", error, currency, now, policy, ours=False))
    if not after.write_up:
        reason = ""
        if after.running >= after.time_limit * policy.write_up_time:
            reason = "time_limit"
        elif accounting.nearly_spent(after, policy):
            reason = "budget"
        if reason:
            after.write_up = True
            change.entries.append(Entry("session.writing_up", "system", {"reason": reason}))
    return change


def _joined(first: Change, second: Change) -> Change:
    """Two changes in one unit of work."""
    return replace(
        second,
        before=first.before,
        entries=first.entries + second.entries,
        charges=first.charges + second.charges,
        finished=first.finished,
    )
