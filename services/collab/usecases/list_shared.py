"""ListShared: the sessions with an unexpired share for a principal."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.times import Clock
from services.collab.ports import Shares
from services.collab.recipients import principals_of

MOST = 20_000
"""Ids in one answer, which keeps it under 1 MiB; the newest shares come first."""


class ListShared:
    def __init__(self, db: Database, shares: Shares, clock: Clock) -> None:
        self._db = db
        self._shares = shares
        self._clock = clock

    async def __call__(self, principal: Principal) -> list[str]:
        now = self._clock.now()
        names = principals_of(principal)
        return await self._db.read(lambda conn: self._shares.sessions_of(conn, names, now, MOST))
