"""What session counts. Labels are types, states, engines and names of chores, never ids."""

from __future__ import annotations

from kit.telemetry.metrics import SLOW, Counter, Gauge, Histogram
from services.session.domain import Session, SessionType, Status

STATUSES = tuple(status.value for status in Status)
TRANSITIONS = Counter("prsm_session_transitions_total", "Sessions that came to a status.", ["session_type", "status"])
QUEUE_WAIT = Histogram(
    "prsm_session_queue_wait_seconds", "What claimed sessions had waited in the queue.", ["engine"], bounds=SLOW
)
ACTIONS = Counter("prsm_session_sweeper_actions_total", "What the sweeper mended.", ["action"])
CHORES = Counter("prsm_session_sweeper_runs_total", "Chores of the sweeper.", ["chore", "outcome"])
SWEPT = Gauge("prsm_session_sweeper_timestamp_seconds", "When this process's sweeper last held the lease and ran.")
SETTLEMENTS = Counter("prsm_session_settlements_total", "Settlements told to billing.", ["outcome"])
STREAMS = Gauge("prsm_session_watch_streams", "Event streams that this process feeds.")

TRANSITIONS.prepare([kind.value for kind in SessionType], STATUSES)
ACTIONS.prepare(("worker_lost", "timed_out"))
SETTLEMENTS.prepare(("done", "postponed", "refused"))


def moved(before: Status | None, session: Session) -> None:
    """Count a committed change of status."""
    if session.status is not before:
        TRANSITIONS.labels(session.session_type.value, session.status.value).inc()
