"""ResumeSession: back into the queue; a worker goes on from the last checkpoint."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.levels import Level
from services.session import lifecycle
from services.session.domain import Session
from services.session.ports import WakeUps
from services.session.usecases.unit import Record, SessionUnit, no_record


class ResumeSession:
    def __init__(self, unit: SessionUnit, wake_ups: WakeUps) -> None:
        self._unit = unit
        self._wake_ups = wake_ups

    async def __call__(self, principal: Principal, session_id: str, record: Record = no_record) -> Session:
        """Raises SessionNotFound, SessionNotAccessible, SessionCannotBeResumed."""
        unit = self._unit
        await unit.open(principal, session_id, Level.EDIT)
        now = unit.clock.now()
        session = await unit.change(
            session_id, lambda _, session: lifecycle.resume(session, principal.user_id, now, unit.policy), record
        )
        await self._wake_ups.announce(session.engine)
        return session
