"""What clients and the sweeper do to a session: pure functions from a session to a change."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace

from kit.money import show
from services.session import accounting
from services.session.domain import (
    CANCEL,
    CLAIM,
    FAIL,
    NOTE,
    PAUSE,
    REQUEUE,
    RESUME,
    SUCCEED,
    SYSTEM,
    TERMINAL,
    TIME_OUT,
    WITH_RESULTS,
    Change,
    Entry,
    JsonObject,
    Kind,
    Policy,
    Session,
    Status,
    Transition,
)
from services.session.errors import SessionCannotBePaused


def begin(session: Session, transition: Transition, now: int, policy: Policy) -> Change:
    """Start a change: check the transition, account for the time since the last one, enter the new status."""
    transition.check(session.status)
    after = copy(session)
    tick(after, now, policy)
    after.updated_at = max(now, after.updated_at)
    if transition.target is not None:
        _leave(after, now)
        after.status = transition.target
        after.status_since = now
    return Change(before=session, after=after, transition=transition)


def tick(session: Session, now: int, policy: Policy) -> None:
    """Count running time."""
    if session.status is not Status.RUNNING:
        return
    grown = ran(session, now, policy) - session.running
    session.running += grown
    session.stage_running += grown
    session.beat_at = now


def ran(session: Session, now: int, policy: Policy) -> int:
    """The running time at a moment: at most `policy.beat` more than at the last sign of life, whatever the clock shows
    by then, and never less."""
    return session.running + min(max(now - session.beat_at, 0), policy.beat)


def _leave(session: Session, now: int) -> None:
    spent = max(now - session.status_since, 0)
    if session.status is Status.QUEUED:
        session.queued += spent
    elif session.status is Status.INITIALIZING:
        session.initializing += spent
    elif session.status is Status.PAUSED:
        session.paused += spent


def fence(session: Session) -> None:
    """Take the session away from its worker: whatever it still writes is refused from now on."""
    session.epoch += 1
    session.worker_id = ""
    session.lease_until = None
    session.cpu += session.cpu_claim
    session.bytes_stored += session.bytes_claim
    session.cpu_claim = session.bytes_claim = 0


def allocation(kind: str, actor: str, unit: str, detail: JsonObject, amount: int | None = None) -> Entry:
    """A history row that is also a resource allocation."""
    type_ = {
        "hold": "resource.held",
        "reservation": "resource.reserved",
        "capture": "resource.captured",
        "release": "resource.released",
        "worker": "worker.assigned",
        "lease": "lease.granted",
    }[kind]
    body: JsonObject = {"kind": kind, "unit": unit, "detail": detail}
    if amount is not None:
        body["amount"] = show(amount)
    return Entry(type_, actor, body, Kind.ALLOCATION)


def created(session: Session, currency: str, origin: Entry | None = None) -> Change:
    """The first rows of a history; `origin` tells where the session comes from if no client asked for it."""
    blank = replace(session, version=0)
    detail = {"session_type": session.session_type.value, "engine": session.engine}
    entries = [
        Entry("session.created", session.owner, detail),
        *([origin] if origin is not None else []),
        allocation("hold", SYSTEM, currency, {}, session.held),
        Entry("session.queued", SYSTEM, {"reason": "created"}),
    ]
    return Change(blank, session, NOTE, entries, event="session.created")


def claim(session: Session, worker_id: str, now: int, policy: Policy) -> Change:
    change = begin(session, CLAIM, now, policy)
    after = change.after
    fence(after)
    after.worker_id = worker_id
    after.attempts += 1
    after.lease_until = now + policy.lease
    after.beat_at = now
    actor = f"worker:{worker_id}"
    change.entries += [
        allocation("worker", actor, "worker", {"worker_id": worker_id, "attempt": after.attempts}),
        allocation("lease", actor, "seconds", {"epoch": after.epoch, "seconds": policy.lease / 1e6}),
        Entry("session.initializing", actor, {"attempt": after.attempts}),
    ]
    change.event = "session.initializing"
    return change


def pause(session: Session, actor: str, now: int, policy: Policy) -> Change:
    """The worker is fenced; an interrupted stage keeps its accepted usage until it begins again."""
    change = begin(session, PAUSE, now, policy)
    if not session.pausable:
        message = f"Sessions of the engine {session.engine} cannot be paused: let it run, or cancel it"
        raise SessionCannotBePaused(session.status.value, message)
    fence(change.after)
    change.entries.append(Entry("session.paused", actor))
    change.event = "session.paused"
    return change


def resume(session: Session, actor: str, now: int, policy: Policy) -> Change:
    change = begin(session, RESUME, now, policy)
    change.entries.append(Entry("session.resumed", actor))
    change.event = "session.resumed"
    return change


def cancel(session: Session, actor: str, reason: str, currency: str, now: int, policy: Policy) -> Change:
    change = begin(session, CANCEL, now, policy)
    detail: JsonObject = {"reason": reason} if reason else {}
    return end(change, "session.cancelled", actor, detail, currency, now, policy)


def time_out(session: Session, currency: str, now: int, policy: Policy) -> Change:
    change = begin(session, TIME_OUT, now, policy)
    minutes = session.time_limit / 60e6
    change.after.error = {
        "code": "time_limit_exceeded",
        "message": f"The session ran longer than its time limit of {minutes:g} minutes",
        "stage": session.current_stage,
        "retryable": True,
    }
    return end(change, "session.timeout", SYSTEM, {}, currency, now, policy)


def fail(
    session: Session, actor: str, error: JsonObject, currency: str, now: int, policy: Policy, *, ours: bool
) -> Change:
    """End as failed; a failure that is `ours` is not charged."""
    change = begin(session, FAIL, now, policy)
    change.after.error = error
    change.after.ours = ours
    return end(change, "session.failed", actor, {"code": error["code"]}, currency, now, policy, waive=ours)


_LOSSES: Mapping[str, str] = {
    "worker_lost": "the worker was lost",
    "never_started": "the worker did not get it started in time",
}


def lose(session: Session, reason: str, currency: str, now: int, policy: Policy) -> Change:
    """An attempt ended without a word: queue the session again, or give up after the last attempt. Nobody is charged
    for it. `reason` is one of `worker_lost`, `never_started`."""
    failures = session.failures + 1
    if failures >= policy.max_failures:
        at = f" in the stage {session.current_stage}" if session.current_stage else ""
        error = {
            "code": "worker_lost",
            "message": f"Given up after {failures} attempts: the last time {_LOSSES[reason]}{at}. Nothing is charged",
            "stage": session.current_stage,
            "retryable": True,
        }
        change = fail(session, SYSTEM, error, currency, now, policy, ours=True)
    else:
        detail = {"worker_id": session.worker_id, "epoch": session.epoch, "failures": failures}
        change = requeue(session, reason, SYSTEM, detail, now, policy)
    change.after.failures = failures
    change.after.losses += 1
    return change


def must_be_alone(session: Session, policy: Policy) -> bool:
    """Whether one more failure is its last and an attempt was lost before: a lost worker takes all its sessions with
    it, so none may fail for a loss that another one may have caused."""
    return session.losses > 0 and session.failures + 1 >= policy.max_failures


def requeue(session: Session, reason: str, actor: str, detail: JsonObject, now: int, policy: Policy) -> Change:
    """Back to the queue; the unfinished stage's usage is forgotten, for the user did not interrupt it."""
    change = begin(session, REQUEUE, now, policy)
    fence(change.after)
    change.after.open_stage = None
    change.entries.append(Entry("session.queued", actor, {"reason": reason, **detail}))
    change.event = "session.queued"
    return change


def end(
    change: Change,
    event: str,
    actor: str,
    detail: JsonObject,
    currency: str,
    now: int,
    policy: Policy,
    *,
    waive: bool = False,
) -> Change:
    """Settle and close: what every way into a terminal state has in common."""
    after = change.after
    assert after.status in TERMINAL
    fence(after)
    charge_open_stage(change, waive=waive)
    if waive:
        after.charged = 0
        change.waived = True
    after.released = after.held - after.charged
    after.finished_at = after.updated_at
    after.settle_after = now + policy.settle_pause
    if after.status not in WITH_RESULTS:
        after.result_epoch, after.result_hash, after.cited = 0, "", ()
    if after.current_stage:
        seconds = after.stage_running / 1e6
        moved = {"from": after.current_stage, "to": after.status.value, "seconds": seconds}
        change.entries.append(Entry("stage.ended", actor, moved, Kind.STAGE))
    change.entries += [
        allocation("capture", SYSTEM, currency, {}, after.charged),
        allocation("release", SYSTEM, currency, {}, after.released),
        Entry(event, actor, detail),
    ]
    change.event = event
    return change


def charge_open_stage(change: Change, *, waive: bool = False) -> None:
    """Charge the stage under way its accepted usage, at most its reservation, and close it."""
    after = change.after
    open_stage = after.open_stage
    if open_stage is None:
        return
    # The base price goes with work that was done, and a stage that used nothing did none.
    quantities = accounting.billed(after, open_stage.usage) if open_stage.usage else {}
    cap = 0 if waive else min(open_stage.reserved, accounting.remaining(after))
    change.charges += accounting.charge(after, open_stage.stage, quantities, cap)
    after.charged += sum(charge.amount for charge in change.charges)
    after.usage = accounting.added(after.usage, quantities)
    after.open_stage = None


def succeeded(session: Session, successor: str, actor: str, now: int) -> Change:
    """Another session was started in its place. Raises SessionCannotBeRequeued for one that did not fail."""
    SUCCEED.check(session.status)
    after = copy(session)
    after.successor = successor
    after.updated_at = max(now, after.updated_at)
    return Change(session, after, SUCCEED, [Entry("session.requeued", actor, {"successor": successor})])


def note(session: Session, entry: Entry, now: int) -> Change:
    """Write into the history without touching the state."""
    change = Change(session, copy(session), NOTE, [entry])
    change.after.updated_at = max(now, session.updated_at)
    return change
