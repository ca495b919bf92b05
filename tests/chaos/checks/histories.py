"""Histories: whole, in order, along legal ways, ended once; and nobody wrote who did not hold the session."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.engine import RUN
from tests.chaos.truth import ENDED, HELD, Row, Truth
from tests.chaos.verdict import DUPLICATED, LOST, OTHER, STALE, Verdict

_OPEN_ENDS = {"failed", "cancelled", "timeout"}
LEGAL = {
    "queued": {"initializing"} | _OPEN_ENDS,
    "initializing": {"running", "queued"} | _OPEN_ENDS,
    "running": {"paused", "queued", "completed"} | _OPEN_ENDS,
    "paused": {"queued"} | _OPEN_ENDS,
    **{end: set() for end in ENDED},
}
"""Where a session may go from each status, as the page on sessions says."""
ENDINGS = {f"session.{end}" for end in ENDED}
_FENCES = ENDINGS | {"session.paused"}


def is_fence(row: Row) -> bool:
    """Whether from this row on nobody holds the session."""
    return row.type in _FENCES or (row.type == "session.queued" and row.detail.get("reason") != "created")


@dataclass(frozen=True, slots=True)
class Tenure:
    """A worker's time with a session: from its lease's row to the row that took it away, both included."""

    actor: str
    epoch: int
    first: int
    last: int


def tenures(rows: Sequence[Row]) -> list[Tenure]:
    """In order. `last` of one that goes on is the history's last row."""
    found: list[Tenure] = []
    begun: tuple[str, int, int] | None = None
    for row in rows:
        if row.type == "lease.granted":
            begun = (row.actor, int(row.detail["detail"]["epoch"]), row.seq)
        elif begun is not None and is_fence(row):
            found.append(Tenure(*begun, row.seq))
            begun = None
    if begun is not None:
        found.append(Tenure(*begun, rows[-1].seq))
    return found


def check_histories(truth: Truth, verdict: Verdict) -> None:
    for session_id, session in truth.sessions.items():
        rows = truth.history.get(session_id, [])
        if not verdict.expect(bool(rows), LOST, "history is there", session_id):
            continue
        _whole(session, rows, verdict)
        _ways(session, rows, verdict)
        _end(session, rows, verdict)
        _holders(session, rows, verdict)
    for session_id in truth.history:
        verdict.expect(session_id in truth.sessions, LOST, "history has a session", session_id)
    _successors(truth, verdict)


def _successors(truth: Truth, verdict: Verdict) -> None:
    """Who was started in another one's place: once, and both tell of it."""
    places: dict[str, list[str]] = {}
    named: set[tuple[str, str]] = set()
    for session_id, rows in truth.history.items():
        for row in rows:
            if row.type == "session.requeued":
                if successor := row.detail.get("successor"):
                    places.setdefault(session_id, []).append(successor)
                else:
                    named.add((row.detail["predecessor"], session_id))
    for session_id, successors in places.items():
        once = len(successors) == 1
        verdict.expect(once, DUPLICATED, "a session has one successor", session_id, successors)
    told = {(session_id, successor) for session_id, successors in places.items() for successor in successors}
    for pair in told | named:
        both = pair in told and pair in named
        verdict.expect(both, LOST, "successor and predecessor tell of each other", pair[0], pair[1])


def _whole(session: Row, rows: Sequence[Row], verdict: Verdict) -> None:
    seqs = [row.seq for row in rows]
    whole = seqs == list(range(1, len(rows) + 1)) and session.version == len(rows)
    verdict.expect(whole, LOST, "history is whole", session.session_id, f"{seqs} of {session.version}")
    ordered = all(a.at <= b.at for a, b in itertools.pairwise(rows))
    verdict.expect(ordered, OTHER, "history is in order", session.session_id)
    forward = all(a.progress <= b.progress for a, b in itertools.pairwise(rows))
    verdict.expect(forward, OTHER, "progress never falls", session.session_id)


def _ways(session: Row, rows: Sequence[Row], verdict: Verdict) -> None:
    first = [row.type for row in rows[:4] if not row.detail.get("predecessor")][:3]
    begun = first == ["session.created", "resource.held", "session.queued"]
    verdict.expect(begun, OTHER, "history begins with its creation", session.session_id, rows[0].type)
    for before, after in itertools.pairwise(rows):
        if before.status != after.status:
            legal = after.status in LEGAL[before.status]
            way = f"{before.status} → {after.status} at {after.seq}"
            verdict.expect(legal, OTHER, "transitions are legal", session.session_id, way)
    same = rows[-1].status == session.status
    verdict.expect(same, LOST, "status is that of the history", session.session_id, (rows[-1].status, session.status))


def _end(session: Row, rows: Sequence[Row], verdict: Verdict) -> None:
    ended = int(session.status in ENDED)
    for types, rule in (
        (ENDINGS, "one end in the history"),
        ({"resource.captured"}, "one capture in the history"),
        ({"resource.released"}, "one release in the history"),
    ):
        count = sum(row.type in types for row in rows)
        kind = DUPLICATED if count > ended else LOST
        verdict.expect(count == ended, kind, rule, session.session_id, f"{count} of {ended}")
    tail = [row for row in rows if row.status in ENDED]
    after = tail[[row.type in ENDINGS for row in tail].index(True) + 1 :] if ended and _has_end(tail) else []
    late = [row.type for row in after if row.actor.startswith("worker:") or row.type.startswith("stage.")]
    verdict.expect(not late, STALE, "nothing is done after the end", session.session_id, late)
    verdict.expect(len({row.status for row in tail}) <= 1, OTHER, "an end never changes", session.session_id)


def _has_end(rows: Sequence[Row]) -> bool:
    return any(row.type in ENDINGS for row in rows)


def _holders(session: Row, rows: Sequence[Row], verdict: Verdict) -> None:
    """Each row of a worker lies in its own tenure; each fence makes the epoch one higher, and so does each claim."""
    held = tenures(rows)
    epoch = 0
    holder = ""
    for row in rows:
        if row.type == "worker.assigned":
            verdict.expect(not holder, STALE, "one worker at a time", session.session_id, f"at {row.seq}: {holder}")
            holder = row.actor
        if row.type == "lease.granted":
            epoch += 1
            told = int(row.detail["detail"]["epoch"])
            verdict.expect(told == epoch, STALE, "epochs count claims and fences", session.session_id, (told, epoch))
            epoch = told
        if row.actor.startswith("worker:"):
            own = row.actor == holder
            verdict.expect(own, STALE, "who writes holds the session", session.session_id, f"{row.seq} by {row.actor}")
        if is_fence(row):
            epoch += 1
            holder = ""
    verdict.expect(session.epoch == epoch, STALE, "epochs count claims and fences", session.session_id, session.epoch)
    free = session.status in HELD or (not session.worker_id and session.lease_until is None)
    verdict.expect(free, STALE, "who is not held has no lease", session.session_id, session.worker_id)
    _witnesses(session, rows, held, verdict)


def _witnesses(session: Row, rows: Sequence[Row], held: Sequence[Tenure], verdict: Verdict) -> None:
    """What stages themselves say of who ran them: one attempt for each tenure, by the process that has the lease."""
    attempts: dict[str, set[int]] = {}
    for row in rows:
        if row.type != "decision.made" or row.detail["decision"] != RUN:
            continue
        process, _, attempt = row.detail["reason"].partition("/")
        tenure = next((t for t in held if t.first <= row.seq <= t.last), None)
        if not verdict.expect(tenure is not None, STALE, "who ran a stage held the session", session.session_id):
            continue
        assert tenure is not None
        attempts.setdefault(attempt, set()).add(tenure.epoch)
        mine = f"-{process}-" in tenure.actor
        detail = f"at {row.seq}: process {process}, lease of {tenure.actor}"
        verdict.expect(mine, STALE, "who ran a stage held the session", session.session_id, detail)
    by_epoch = Counter(epoch for epochs in attempts.values() for epoch in epochs)
    single = all(len(epochs) == 1 for epochs in attempts.values()) and all(n == 1 for n in by_epoch.values())
    verdict.expect(single, STALE, "one attempt for each lease", session.session_id, attempts)
