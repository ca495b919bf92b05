"""PauseSession: freeze clock and spending, and take the session from its worker before answering."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.levels import Level
from services.session import lifecycle
from services.session.domain import Session
from services.session.usecases.unit import Record, SessionUnit, no_record


class PauseSession:
    def __init__(self, unit: SessionUnit) -> None:
        self._unit = unit

    async def __call__(self, principal: Principal, session_id: str, record: Record = no_record) -> Session:
        """Raises SessionNotFound, SessionNotAccessible, SessionCannotBePaused."""
        unit = self._unit
        await unit.open(principal, session_id, Level.EDIT)
        now = unit.clock.now()
        return await unit.change(
            session_id, lambda _, session: lifecycle.pause(session, principal.user_id, now, unit.policy), record
        )
