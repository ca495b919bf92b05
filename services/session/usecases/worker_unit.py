"""What the workers' use cases have in common: a change under a lease, refused with an older epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.auth.grants import Grant, GrantSigner
from kit.errors import SessionNotFound
from services.session.domain import Change, Session, Status
from services.session.errors import StaleEpoch
from services.session.ports import Durations, WakeUps
from services.session.usecases.settle_session import SettleSession
from services.session.usecases.unit import SessionUnit
from services.session.work import Lease, check_lease

HeldStep = Callable[[Connection, Session], Change | None]


@dataclass(frozen=True, slots=True)
class WorkerUnit:
    """See the module. `grant_ttl` in microseconds."""

    unit: SessionUnit
    settle: SettleSession
    wake_ups: WakeUps
    durations: Durations
    grants: GrantSigner
    grant_ttl: int

    async def change(self, lease: Lease, step: HeldStep) -> Session:
        """Raises StaleEpoch, and whatever the step raises."""

        def held(db: Connection, session: Session) -> Change | None:
            return step(db, check_lease(session, lease))

        return await self._changed(lease, held)

    async def change_unchecked(self, lease: Lease, step: HeldStep) -> Session:
        """The same for a step that looks at the lease itself."""
        return await self._changed(lease, step)

    async def change_if_held(self, lease: Lease, step: HeldStep) -> Session:
        """The same, but a session that was paused or ended is returned as it is, for its worker to be told.

        Raises StaleEpoch for a session that somebody else holds or that is queued again.
        """

        def held(db: Connection, session: Session) -> Change | None:
            if session.terminal or session.status is Status.PAUSED:
                return None
            return step(db, check_lease(session, lease))

        return await self._changed(lease, held)

    async def _changed(self, lease: Lease, step: HeldStep) -> Session:
        ended_now = False

        def noted(db: Connection, session: Session) -> Change | None:
            nonlocal ended_now
            change = step(db, session)
            ended_now = change is not None and change.after.terminal
            return change

        try:
            session = await self.unit.change(lease.session_id, noted)
        except SessionNotFound:
            raise StaleEpoch("") from None
        if session.status is Status.QUEUED:
            await self.wake_ups.announce(session.engine)
        elif ended_now:
            await self.settle(session)
        return session

    def grant(self, session: Session) -> str:
        """A fresh grant for who holds the session."""
        inputs = session.inputs
        return self.grants.sign(
            Grant(
                owner=session.owner,
                session_id=session.session_id,
                epoch=session.epoch,
                documents=tuple(d["document_id"] for d in inputs.get("documents", ())),
                datasets=tuple(d["document_id"] for d in inputs.get("datasets", ())),
                sessions=tuple(inputs.get("results", ())),
            )
        )
