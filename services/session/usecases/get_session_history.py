"""GetSessionHistory: the timeline and its derived views."""

from __future__ import annotations

from collections.abc import Sequence

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.levels import Level
from services.session.domain import HistoryRow
from services.session.ports import History
from services.session.usecases.unit import SessionUnit

_ALL = 1_000_000


class GetSessionHistory:
    def __init__(self, unit: SessionUnit, history: History) -> None:
        self._unit = unit
        self._history = history

    async def __call__(self, principal: Principal, session_id: str) -> Sequence[HistoryRow]:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        await self._unit.open(principal, session_id, Level.VIEW)
        return await read_history(self._unit.db, self._history, session_id)


async def read_history(db: Database, history: History, session_id: str) -> Sequence[HistoryRow]:
    return await db.read(lambda connection: history.after(connection, session_id, 0, _ALL))
