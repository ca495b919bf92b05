"""Streams and subjects."""

from __future__ import annotations

EVENTS_STREAM = "PRSM_EVENTS"
EVENTS_SUBJECTS = "prsm.events.>"
JOBS_STREAM = "PRSM_JOBS"
JOBS_SUBJECTS = "prsm.jobs.>"


def event_subject(service: str, event_type: str) -> str:
    """For example prsm.events.session.completed for ("session", "session.completed")."""
    return f"prsm.events.{service}.{event_type.rpartition('.')[2]}"


def job_subject(engine: str) -> str:
    """Where "there is work for this engine" is said."""
    return f"prsm.jobs.{engine}"


def job_consumer(engine: str) -> str:
    return f"workers-{engine}"
