"""Whether a caller still has the right to what was done before: for answers that are given again."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.levels import Level
from services.session.usecases.unit import SessionUnit


class RequireLevel:
    def __init__(self, unit: SessionUnit) -> None:
        self._unit = unit

    async def __call__(self, principal: Principal, session_id: str, level: Level) -> None:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        await self._unit.open(principal, session_id, level)
