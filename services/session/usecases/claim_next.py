"""ClaimNext: the next session by the fair key goes to a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.times import SECOND
from services.session import lifecycle, metrics
from services.session.domain import FinishedStage, Session, Status
from services.session.errors import LostRace
from services.session.ports import Queue
from services.session.usecases.worker_unit import WorkerUnit


@dataclass(frozen=True, slots=True)
class Claimed:
    session: Session
    stages: Sequence[FinishedStage]
    grant: str


class ClaimNext:
    def __init__(self, worker: WorkerUnit, queue: Queue, owner_cap: int) -> None:
        """`owner_cap` is how many sessions of one owner may be in the hands of workers."""
        self._worker = worker
        self._queue = queue
        self._cap = owner_cap

    async def __call__(self, worker_id: str, engines: Sequence[str]) -> Claimed | None:
        """None when there is no work."""
        worker = self._worker
        found = await worker.unit.db.write(lambda db: self._claim(db, worker_id, engines))
        if found is None:
            return None
        session, stages, waited = found
        metrics.moved(Status.QUEUED, session)
        metrics.QUEUE_WAIT.labels(session.engine).observe(waited / SECOND)
        worker.unit.watchers.changed(session.session_id)
        return Claimed(session, stages, worker.grant(session))

    def _claim(
        self, db: Connection, worker_id: str, engines: Sequence[str]
    ) -> tuple[Session, Sequence[FinishedStage], int] | None:
        """The session, its finished stages, and how long it was queued."""
        unit = self._worker.unit
        now = unit.clock.now()
        for turn in self._queue.turns(db, engines, self._cap):
            for session_id in turn.session_ids:
                session = unit.sessions.lock(db, session_id)
                if session is None or session.status is not Status.QUEUED:
                    continue  # Cancelled a moment ago.
                change = lifecycle.claim(session, worker_id, now, unit.policy)
                change.after.grant_until = now + self._worker.grant_ttl
                try:
                    claimed = unit.sessions.apply(db, change)
                except LostRace:
                    continue
                self._queue.served(db, turn)
                waited = max(now - session.status_since, 0)
                return claimed, unit.sessions.finished_stages(db, session_id), waited
        return None
