"""What the use cases have in common: reading a session that the caller may see, and changing one in one commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.access import Access, require
from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import SessionNotFound, Unavailable
from kit.ids import is_uuid
from kit.levels import Level
from kit.times import Clock
from services.session import metrics
from services.session.domain import Change, Policy, Session
from services.session.errors import LostRace
from services.session.ports import Sessions, Shares, Watchers
from services.session.views import SessionView

_TRIES = 5
Step = Callable[[Connection, Session], Change | None]
Record = Callable[[Connection, Session], None]


def no_record(_db: Connection, _session: Session) -> None:
    """For changes that no client waits for."""


@dataclass(frozen=True, slots=True)
class SessionUnit:
    """See the module. `currency` names the unit of all amounts."""

    db: Database
    clock: Clock
    sessions: Sessions
    shares: Shares
    watchers: Watchers
    policy: Policy
    currency: str

    async def find(self, session_id: str) -> Session | None:
        if not is_uuid(session_id):
            return None
        return await self.db.read(lambda db: self.sessions.get(db, session_id))

    async def view(self, principal: Principal, session_id: str, level: Level) -> SessionView:
        """What readers see, if the principal has the level. Raises as `open` does."""
        view = await self.db.read(lambda db: self.sessions.view(db, session_id)) if is_uuid(session_id) else None
        await require(self.shares, principal, session_id, view.owner if view is not None else None, level)
        if view is None:
            raise SessionNotFound()
        return view

    async def open(self, principal: Principal, session_id: str, level: Level) -> tuple[Session, Access]:
        """The session, if the principal has the level. Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        session = await self.find(session_id)
        access = await require(
            self.shares, principal, session_id, session.owner if session is not None else None, level
        )
        if session is None:
            raise SessionNotFound()
        return session, access

    async def change(self, session_id: str, step: Step, record: Record = no_record) -> Session:
        """Lock the session, take the step, store it and what belongs to it, in one commit; then wake who watches.

        Returns the session as it is then. Raises SessionNotFound and whatever the step raises.
        """

        change: Change | None = None

        def work(db: Connection) -> Session:
            nonlocal change
            session = self.sessions.lock(db, session_id)
            if session is None:
                raise SessionNotFound()
            change = step(db, session)
            if change is not None:
                session = self.sessions.apply(db, change)
            record(db, session)
            return session

        for _ in range(_TRIES):
            try:
                session = await self.db.write(work)
            except LostRace:
                continue
            self.watchers.changed(session_id)
            if change is not None:
                metrics.moved(change.before.status, session)
            return session
        raise Unavailable()
