"""Release: a worker that has to stop hands its session back."""

from __future__ import annotations

from services.session import lifecycle
from services.session.usecases.worker_unit import WorkerUnit
from services.session.work import Lease


class Release:
    def __init__(self, worker: WorkerUnit) -> None:
        self._worker = worker

    async def __call__(self, lease: Lease, reason: str) -> None:
        """Raises StaleEpoch. Not counted as a failed attempt."""
        unit = self._worker.unit
        now = unit.clock.now()
        actor = f"worker:{lease.worker_id}"
        detail = {"worker_id": lease.worker_id, "note": reason} if reason else {"worker_id": lease.worker_id}
        await self._worker.change(
            lease, lambda _, session: lifecycle.requeue(session, "released", actor, detail, now, unit.policy)
        )
