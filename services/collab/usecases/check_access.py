"""CheckAccess and CheckAccessBulk: what shares a principal has of a session."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from kit.access import Shared
from kit.auth.principal import Principal
from kit.db.database import Database
from kit.times import Clock
from services.collab.domain import Entry, standing
from services.collab.ports import Shares
from services.collab.recipients import principals_of

# A check names a session and a handful of principals; a statement takes some thousands of parameters.
_TOGETHER = 50


class CheckAccess:
    """Also what the access decision of this service itself asks: see `kit.access.Shares`."""

    def __init__(self, db: Database, shares: Shares, clock: Clock) -> None:
        self._db = db
        self._shares = shares
        self._clock = clock

    async def check(self, session_id: str, principal: Principal) -> Shared:
        (shared,) = await self.check_all([(session_id, principal)])
        return shared

    async def check_all(self, checks: Sequence[tuple[str, Principal]]) -> list[Shared]:
        """The answers in the order of the questions, all of one moment."""
        now = self._clock.now()

        def read(conn: Connection) -> list[Shared]:
            found: list[Shared] = []
            for first in range(0, len(checks), _TOGETHER):
                found.extend(self._some(conn, checks[first : first + _TOGETHER], now))
            return found

        return await self._db.read(read)

    def _some(self, conn: Connection, checks: Sequence[tuple[str, Principal]], now: int) -> list[Shared]:
        named = [(session_id, principals_of(principal)) for session_id, principal in checks]
        sessions = sorted({session_id for session_id, _ in named})
        principals = sorted({name for _, names in named for name in names})
        entries = self._shares.entries(conn, sessions, principals)

        def of(session_id: str, names: Sequence[str]) -> list[Entry]:
            return [entry for name in names for entry in entries.get((session_id, name), ())]

        return [standing(of(session_id, names), now) for session_id, names in named]
