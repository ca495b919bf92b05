"""RevokeShare: a share ends at once."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.ids import is_uuid
from kit.levels import Level
from kit.times import Clock
from services.collab.domain import Share
from services.collab.errors import ShareNotFound
from services.collab.ports import Announcer, Gate, Shares
from services.collab.usecases.share_session import share_change


class RevokeShare:
    def __init__(self, db: Database, shares: Shares, gate: Gate, announcer: Announcer, clock: Clock) -> None:
        self._db = db
        self._shares = shares
        self._gate = gate
        self._announcer = announcer
        self._clock = clock

    async def __call__(self, principal: Principal, needed: Level, session_id: str, share_id: str) -> Share:
        """The share; the same when it was revoked before. The owner may revoke any, a collaborator the own ones: others
        do not exist for them.

        Raises SessionNotFound, SessionNotAccessible, ShareNotFound, Unavailable.
        """
        access = await self._gate.require(principal, session_id, needed)
        if not is_uuid(share_id):
            raise ShareNotFound()
        now = self._clock.now()

        def revoke(conn: Connection) -> Share:
            share = self._shares.get(conn, session_id, share_id)
            if share is None or (access.level < Level.OWNER and share.shared_by != principal.user_id):
                raise ShareNotFound()
            revoked = self._shares.revoke(conn, share_id, now)
            if revoked is not None:
                self._announcer.announce(conn, share_change("share.revoked", revoked, principal.user_id, now))
                return revoked
            # Revoked before, perhaps since it was read above.
            known = self._shares.get(conn, session_id, share_id)
            assert known is not None
            return known

        return await self._db.write(revoke)
