"""Start: the worker has loaded its engine and inputs; the session runs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from services.session import work
from services.session.domain import Change, PlannedStage, Session, Status
from services.session.usecases.worker_unit import WorkerUnit
from services.session.work import Lease


class Start:
    def __init__(self, worker: WorkerUnit) -> None:
        self._worker = worker

    async def __call__(self, lease: Lease, stages: Sequence[PlannedStage]) -> None:
        """Raises StaleEpoch. Again under the same epoch it changes nothing."""
        unit = self._worker.unit
        now = unit.clock.now()

        def step(db: Connection, session: Session) -> Change | None:
            if session.status is Status.RUNNING:
                return None
            finished = [stage.stage for stage in unit.sessions.finished_stages(db, session.session_id)]
            return work.start(session, stages, finished, now, unit.policy)

        await self._worker.change(lease, step)
