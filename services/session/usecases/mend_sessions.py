"""What the sweeper does to sessions: lost workers, time limits, ends that billing has not heard of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from services.session import lifecycle, metrics
from services.session.domain import HELD, Change, Session, Status
from services.session.ports import Overdue, WakeUps
from services.session.usecases.settle_session import SettleSession
from services.session.usecases.unit import SessionUnit

_BATCH = 100
log = structlog.get_logger("mending")
Step = Callable[[Connection, Session], Change | None]


class MendSessions:
    def __init__(self, unit: SessionUnit, overdue: Overdue, settle: SettleSession, wake_ups: WakeUps) -> None:
        self._unit = unit
        self._overdue = overdue
        self._settle = settle
        self._wake_ups = wake_ups

    async def __call__(self) -> int:
        """How many were mended. Each in a unit of work of its own, decided on what the row says by then."""
        unit = self._unit
        now = unit.clock.now()
        policy = unit.policy

        def late(db: Connection) -> list[str]:
            # A session may be late in more than one way; time limits go first, for they are final.
            found = self._overdue.time_limits(db, policy.beat, _BATCH)
            found += self._overdue.leases(db, now, _BATCH)
            found += self._overdue.initializing(db, now - policy.init_limit, _BATCH)
            return list(dict.fromkeys(found))

        mended = 0
        for session_id in await unit.db.read(late):
            try:
                mended += await self._mend(session_id)
            except Exception:
                # One session's fault must not keep the others from being mended.
                log.exception("session not mended", session_id=session_id)
        return mended + await self._settle_ended()

    async def _settle_ended(self) -> int:
        """All at once, so that a billing that is away costs one deadline."""
        unit = self._unit
        unsettled = await unit.db.read(lambda db: self._overdue.unsettled(db, unit.clock.now(), _BATCH))
        return sum(await asyncio.gather(*(self._settle(session) for session in unsettled)))

    async def _mend(self, session_id: str) -> bool:
        unit = self._unit
        changed = False

        def step(_db: Connection, session: Session) -> Change | None:
            nonlocal changed
            change = self._decide(session)
            changed = change is not None
            return change

        session = await unit.change(session_id, step)
        if changed:
            metrics.ACTIONS.labels("timed_out" if session.status is Status.TIMEOUT else "worker_lost").inc()
        if changed and session.status is Status.QUEUED:
            await self._wake_ups.announce(session.engine)
        return changed

    def _decide(self, session: Session) -> Change | None:
        unit = self._unit
        now = unit.clock.now()
        policy = unit.policy
        if session.status not in HELD:
            return None
        if session.status is Status.RUNNING:
            grown = min(max(now - session.beat_at, 0), policy.beat)
            if session.running + grown >= session.time_limit:
                return lifecycle.time_out(session, unit.currency, now, policy)
        stuck = session.status is Status.INITIALIZING and session.status_since <= now - policy.init_limit
        if stuck or (session.lease_until is not None and session.lease_until <= now):
            return lifecycle.lose(session, unit.currency, now, policy)
        return None
