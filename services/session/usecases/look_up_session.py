"""LookUpSession: what the other services may know of a session."""

from __future__ import annotations

from services.session.domain import Session
from services.session.usecases.unit import SessionUnit


class LookUpSession:
    def __init__(self, unit: SessionUnit) -> None:
        self._unit = unit

    async def __call__(self, session_id: str) -> Session | None:
        return await self._unit.find(session_id)
