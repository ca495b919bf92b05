"""Checkpoint: a stage is finished; its output becomes visible and its usage is charged, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from services.session import work
from services.session.decisions import Decision
from services.session.domain import Change, Session
from services.session.usecases.worker_unit import WorkerUnit
from services.session.work import Lease, Resources, SoFar


class Checkpoint:
    def __init__(self, worker: WorkerUnit) -> None:
        self._worker = worker

    async def __call__(
        self,
        lease: Lease,
        stage: str,
        artifact: str,
        usage: Mapping[str, int],
        decisions: Sequence[Decision],
        resources: Resources,
        so_far: SoFar | None = None,
    ) -> Session:
        """Raises StaleEpoch, ValidationError for a stage that was not begun. Told again it changes nothing."""
        unit = self._worker.unit
        now = unit.clock.now()

        def step(db: Connection, session: Session) -> Change | None:
            told = (stage, session.epoch, artifact)
            if told in [(s.stage, s.epoch, s.hash) for s in unit.sessions.finished_stages(db, session.session_id)]:
                return None
            return work.checkpoint(
                session, stage, artifact, usage, decisions, resources, unit.currency, now, unit.policy, so_far=so_far
            )

        return await self._worker.change(lease, step)
