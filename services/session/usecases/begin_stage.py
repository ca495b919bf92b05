"""BeginStage: reserve money for a stage."""

from __future__ import annotations

from services.session import work
from services.session.domain import Session
from services.session.usecases.worker_unit import WorkerUnit
from services.session.work import Lease


class BeginStage:
    def __init__(self, worker: WorkerUnit) -> None:
        self._worker = worker

    async def __call__(self, lease: Lease, stage: str) -> Session:
        """Raises StaleEpoch, ValidationError for a stage that is not to come."""
        unit = self._worker.unit
        now = unit.clock.now()
        return await self._worker.change(
            lease, lambda _, session: work.begin_stage(session, stage, unit.currency, now, unit.policy)
        )
