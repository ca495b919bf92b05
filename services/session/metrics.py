"""What session counts. Labels are types, states, engines and names of chores, never ids."""

from __future__ import annotations

from collections.abc import Sequence

from kit.telemetry.metrics import SLOW, Counter, Gauge, Histogram
from services.session.domain import Session, SessionType, Status

STATUSES = tuple(status.value for status in Status)
TRANSITIONS = Counter("prsm_session_transitions_total", "Sessions that came to a status.", ["session_type", "status"])
FAILED = Counter("prsm_session_failed_total", "Sessions that failed, by whose fault it was.", ["fault"])
QUEUE_WAIT = Histogram(
    "prsm_session_queue_wait_seconds", "What claimed sessions had waited in the queue.", ["engine"], bounds=SLOW
)
ACTIONS = Counter("prsm_session_sweeper_actions_total", "What the sweeper mended.", ["action"])
CHORES = Counter("prsm_session_sweeper_runs_total", "Chores of the sweeper.", ["chore", "outcome"])
SWEPT = Gauge("prsm_session_sweeper_timestamp_seconds", "When this process's sweeper last held the lease and ran.")
SETTLEMENTS = Counter("prsm_session_settlements_total", "Settlements told to billing.", ["outcome"])
ASKED = Counter("prsm_session_claims_asked_total", "How often a worker asked for work of an engine.", ["engine"])
STREAMS = Gauge("prsm_session_watch_streams", "Event streams that this process feeds.")

TRANSITIONS.prepare([kind.value for kind in SessionType], STATUSES)
FAILED.prepare(("ours", "session"))
ACTIONS.prepare(("worker_lost", "never_started", "timed_out"))
SETTLEMENTS.prepare(("done", "postponed", "refused"))


def asked(engines: Sequence[str]) -> None:
    """Count that a worker asked for work of these engines."""
    for engine in engines:
        ASKED.labels(engine).inc()


def moved(before: Status | None, session: Session) -> None:
    """Count a committed change of status."""
    if session.status is not before:
        TRANSITIONS.labels(session.session_type.value, session.status.value).inc()
        if session.status is Status.FAILED:
            FAILED.labels("ours" if session.ours else "session").inc()
