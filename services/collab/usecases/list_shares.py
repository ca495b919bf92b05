"""ListShares: all of a session's shares for its owner, the own ones for a collaborator."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.levels import Level
from kit.paging import Page
from services.collab.domain import Share
from services.collab.ports import Gate, Shares


class ListShares:
    def __init__(self, db: Database, shares: Shares, gate: Gate) -> None:
        self._db = db
        self._shares = shares
        self._gate = gate

    async def __call__(
        self, principal: Principal, needed: Level, session_id: str, page: Page
    ) -> tuple[list[Share], int]:
        """The page and how many there are. Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        access = await self._gate.require(principal, session_id, needed)
        shared_by = None if access.level >= Level.OWNER else principal.user_id
        return await self._db.read(lambda conn: self._shares.page(conn, session_id, page, shared_by))
