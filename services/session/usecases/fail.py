"""Fail: a worker's attempt ended without a result."""

from __future__ import annotations

from services.session import work
from services.session.domain import Session, Status
from services.session.usecases.worker_unit import WorkerUnit
from services.session.work import Lease

_LONGEST_MESSAGE = 1000


class Fail:
    def __init__(self, worker: WorkerUnit) -> None:
        self._worker = worker

    async def __call__(self, lease: Lease, code: str, message: str, stage: str, *, retryable: bool, ours: bool) -> bool:
        """Whether the session is queued again. Raises StaleEpoch."""
        unit = self._worker.unit
        now = unit.clock.now()
        error = {
            "code": code or "internal",
            "message": message[:_LONGEST_MESSAGE],
            "stage": stage,
            "retryable": retryable,
        }
        session: Session = await self._worker.change(
            lease,
            lambda _, session: work.give_up(
                session, error, unit.currency, now, unit.policy, retryable=retryable, ours=ours
            ),
        )
        return session.status is Status.QUEUED
