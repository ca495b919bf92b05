"""Complete: the session has a result."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from services.session import work
from services.session.domain import Change, JsonObject, Session
from services.session.drafts import DEFAULT_DEPTH
from services.session.usecases.worker_unit import WorkerUnit
from services.session.work import Lease, Resources, check_lease, told_before


class Complete:
    def __init__(self, worker: WorkerUnit) -> None:
        self._worker = worker

    async def __call__(
        self, lease: Lease, artifact: str, results: JsonObject, cited: Sequence[str], resources: Resources
    ) -> None:
        """Raises StaleEpoch: who came first, a cancel or this, has won. Told again it changes nothing."""
        worker = self._worker
        unit = worker.unit
        now = unit.clock.now()

        def step(db: Connection, session: Session) -> Change | None:
            if told_before(session, lease, artifact):
                return None
            check_lease(session, lease)
            change = work.complete(session, artifact, results, cited, resources, unit.currency, now, unit.policy)
            depth = str(session.preferences.get("depth", DEFAULT_DEPTH))
            worker.durations.learn(db, session.session_type.value, depth, change.after.running)
            return change

        await worker.change_unchecked(lease, step)
