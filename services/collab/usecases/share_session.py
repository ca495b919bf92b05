"""ShareSession: a level of access for some recipients until a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import SessionNotFound, ValidationError
from kit.ids import Ids
from kit.levels import Level
from kit.times import Clock
from services.collab.domain import Change, Share, expiry, permitted
from services.collab.ports import Announcer, Gate, Record, Sessions, Shares, Tokens
from services.collab.recipients import parse_all


@dataclass(frozen=True, slots=True)
class NewShare:
    """What is asked for, as it was sent; its recipients and its expiration have the right form."""

    session_id: str
    recipients: Sequence[str]
    permissions: str
    message: str
    expiration: str


class ShareSession:
    def __init__(
        self,
        db: Database,
        shares: Shares,
        *,
        gate: Gate,
        sessions: Sessions,
        tokens: Tokens,
        announcer: Announcer,
        clock: Clock,
        ids: Ids,
        lifetime: int,
    ) -> None:
        """`lifetime` is how long a share lasts when none is said, in microseconds."""
        self._db = db
        self._shares = shares
        self._gate = gate
        self._sessions = sessions
        self._tokens = tokens
        self._announcer = announcer
        self._clock = clock
        self._ids = ids
        self._lifetime = lifetime

    async def __call__(self, principal: Principal, needed: Level, wanted: NewShare, record: Record) -> Share:
        """`record` writes the outcome down for the caller's key, in the same transaction.

        Raises SessionNotFound, SessionNotAccessible, ValidationError, Unavailable.
        """
        access = await self._gate.require(principal, wanted.session_id, needed)
        owner = await self._sessions.owner(wanted.session_id)
        if owner is None:
            raise SessionNotFound()
        now = self._clock.now()
        recipients, faults = parse_all(wanted.recipients, owner=owner, sharer=principal)
        faults += permitted(wanted.permissions, access)
        expires_at, wrong = expiry(wanted.expiration, now=now, default=self._lifetime, access=access)
        faults += wrong
        if faults:
            raise ValidationError(faults)
        share = Share(
            share_id=self._ids.new(),
            session_id=wanted.session_id,
            shared_by=principal.user_id,
            recipients=tuple(recipient.shown for recipient in recipients),
            permissions=wanted.permissions,
            message=wanted.message,
            created_at=now,
            expires_at=expires_at,
        )
        principals = [recipient.principal for recipient in recipients]
        token_hash = self._tokens.hash_of(self._tokens.token(share.share_id))

        def store(conn: Connection) -> Share:
            self._shares.add(conn, share, principals, token_hash)
            self._announcer.announce(conn, share_change("share.created", share, principal.user_id, now))
            record(conn, share)
            return share

        return await self._db.write(store)


def share_change(kind: str, share: Share, actor: str, at: int) -> Change:
    """The event of a change to a share."""
    return Change(
        type=kind,
        session_id=share.session_id,
        subject_id=share.share_id,
        version=share.version,
        actor=actor,
        at=at,
        permissions=share.permissions,
        recipients=len(share.recipients),
    )
