"""GetSessionMetrics: what a session took, what it cost, and how well the time was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.errors import SessionNotFound
from kit.levels import Level
from services.session.accounting import efficiency, total_usage
from services.session.domain import Charge, Session, Status
from services.session.lifecycle import tick
from services.session.usecases.unit import SessionUnit


@dataclass(frozen=True, slots=True)
class Metrics:
    """Durations in microseconds. `charges` add up to the session's `charged` exactly."""

    session: Session
    charges: Sequence[Charge]
    queued: int
    initializing: int
    paused: int
    stage_running: Mapping[str, int]
    documents_per_second: float
    efficiency: float


class GetSessionMetrics:
    def __init__(self, unit: SessionUnit) -> None:
        self._unit = unit

    async def __call__(self, principal: Principal, session_id: str) -> Metrics:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        await self._unit.open(principal, session_id, Level.VIEW)
        return await self.measure(session_id)

    async def measure(self, session_id: str) -> Metrics:
        """The same without an access check, for the session's own documents."""
        unit = self._unit

        def read(db: Connection) -> Metrics:
            session = unit.sessions.get(db, session_id)
            if session is None:
                raise SessionNotFound()
            charges = unit.sessions.charges(db, session_id)
            finished = {stage.stage: stage.running for stage in unit.sessions.finished_stages(db, session_id)}
            return self._metrics(session, charges, finished)

        return await unit.db.read(read)

    def _metrics(self, session: Session, charges: Sequence[Charge], finished: Mapping[str, int]) -> Metrics:
        now = self._unit.clock.now()
        tick(session, now, self._unit.policy)
        waited = {
            Status.QUEUED: session.queued,
            Status.INITIALIZING: session.initializing,
            Status.PAUSED: session.paused,
        }
        if session.status in waited:
            waited[session.status] += max(now - session.status_since, 0)
        stage_running = dict(finished)
        if session.current_stage and session.current_stage not in finished:
            stage_running[session.current_stage] = session.stage_running
        documents = total_usage(session).get("document_read", 0) / 1e6
        return Metrics(
            session=session,
            charges=charges,
            queued=waited[Status.QUEUED],
            initializing=waited[Status.INITIALIZING],
            paused=waited[Status.PAUSED],
            stage_running=stage_running,
            documents_per_second=documents / (session.running / 1e6) if session.running else 0.0,
            efficiency=efficiency(session, sum(finished.values())),
        )
