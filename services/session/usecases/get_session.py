"""GetSession: one row by its key."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.levels import Level
from services.session.usecases.unit import SessionUnit
from services.session.views import SessionView


class GetSession:
    def __init__(self, unit: SessionUnit) -> None:
        self._unit = unit

    async def __call__(self, principal: Principal, session_id: str) -> SessionView:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        return await self._unit.view(principal, session_id, Level.VIEW)
