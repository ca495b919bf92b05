"""Heartbeat: keep the lease, take progress and usage, tell the worker what to do."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from services.session import work
from services.session.domain import Change, Session
from services.session.usecases.worker_unit import WorkerUnit
from services.session.work import Beat, Directive, Lease, directive, holds


@dataclass(frozen=True, slots=True)
class Answer:
    """`grant` is empty unless the worker needs a fresh one."""

    directive: Directive
    grant: str


class Heartbeat:
    def __init__(self, worker: WorkerUnit) -> None:
        self._worker = worker

    async def __call__(self, lease: Lease, beat: Beat) -> Answer:
        """Raises StaleEpoch when the session is somebody else's or queued again."""
        worker = self._worker
        unit = worker.unit
        now = unit.clock.now()
        renewed = False

        def step(_db: Connection, session: Session) -> Change:
            nonlocal renewed
            change = work.heartbeat(session, beat, unit.currency, now, unit.policy)
            # What ends later than any grant can was given before the clock was set back.
            renewed = not worker.grant_ttl // 2 <= change.after.grant_until - now <= worker.grant_ttl
            if renewed:
                change.after.grant_until = now + worker.grant_ttl
            return change

        session = await worker.change_if_held(lease, step)
        grant = worker.grant(session) if renewed and holds(session, lease) else ""
        return Answer(directive(session), grant)
