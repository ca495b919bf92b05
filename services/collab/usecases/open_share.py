"""OpenShare: a share URL answered for a signed-in recipient."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import SessionNotAccessible
from kit.times import Clock
from services.collab.domain import Share, Status
from services.collab.errors import ShareNotFound
from services.collab.ports import SessionCard, Sessions, Shares, Tokens
from services.collab.recipients import principals_of


class OpenShare:
    def __init__(self, db: Database, shares: Shares, sessions: Sessions, tokens: Tokens, clock: Clock) -> None:
        self._db = db
        self._shares = shares
        self._sessions = sessions
        self._tokens = tokens
        self._clock = clock

    async def __call__(self, principal: Principal, token: str) -> tuple[Share, SessionCard]:
        """The share and its session. The session's owner may open any share of it.

        Raises ShareNotFound for a token that is none and for who is no recipient, SessionNotAccessible for a recipient
        whose share has ended, Unavailable.
        """
        token_hash = self._tokens.hash_of(token)
        found = await self._db.read(lambda conn: self._shares.by_token(conn, token_hash))
        if found is None:
            raise ShareNotFound()
        share, principals = found
        card = await self._sessions.find(share.session_id)
        if card is None:
            raise ShareNotFound()
        if card.owner != principal.user_id:
            if principals.isdisjoint(principals_of(principal)):
                raise ShareNotFound()
            if share.status(self._clock.now()) is not Status.ACTIVE:
                raise SessionNotAccessible()
        return share, card
