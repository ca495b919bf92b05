"""What the sweeper does to sessions in the hands of workers: time limits, lost workers, starts that do not end."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from services.session import lifecycle, metrics
from services.session.domain import HELD, Change, Session, Status
from services.session.observation import Watch
from services.session.ports import Held, Overdue, WakeUps
from services.session.usecases.unit import SessionUnit

_BATCH = 100
log = structlog.get_logger("mending")
Step = Callable[[Connection, Session], Change | None]


class Suspect(NamedTuple):
    """A session as it was seen, and whether its worker was silent, or starting it, for too long."""

    seen: Held
    silent: bool
    starting: bool


class MendSessions:
    """Call it again and again; see `observation` for why one look is not enough to lose a worker."""

    def __init__(self, unit: SessionUnit, overdue: Overdue, wake_ups: WakeUps, longest_step: int) -> None:
        """`longest_step` is the most that counts as silence between two calls, in microseconds."""
        self._unit = unit
        self._overdue = overdue
        self._wake_ups = wake_ups
        self._heard = Watch(longest_step)
        self._starting = Watch(longest_step)

    async def __call__(self) -> int:
        """How many were mended. Each in a unit of work of its own, decided on what the row says by then."""
        unit = self._unit
        held = await unit.db.read(self._overdue.held)
        moment = unit.clock.monotonic()
        silent = self._heard.look(moment, {s.session_id: (s.epoch, s.lease_until) for s in held})
        starting = self._starting.look(moment, {s.session_id: s.epoch for s in held if s.status == Status.INITIALIZING})
        late = [each for each in held if self._is_late(each, silent[each.session_id], starting.get(each.session_id, 0))]
        mended = 0
        for each in late[:_BATCH]:
            key = each.session_id
            policy = unit.policy
            suspect = Suspect(each, silent[key] >= policy.lease, starting.get(key, 0) >= policy.init_limit)
            try:
                mended += await self._mend(suspect)
            except Exception:
                # One session's fault must not keep the others from being mended.
                log.exception("session not mended", session_id=key)
        return mended

    def _is_late(self, seen: Held, silent: int, starting: int) -> bool:
        policy = self._unit.policy
        nearly = seen.status == Status.RUNNING and seen.running + policy.beat >= seen.time_limit
        return nearly or silent >= policy.lease or starting >= policy.init_limit

    async def _mend(self, suspect: Suspect) -> bool:
        unit = self._unit
        action = ""

        def step(_db: Connection, session: Session) -> Change | None:
            nonlocal action
            action, change = self._decide(session, suspect)
            return change

        session = await unit.change(suspect.seen.session_id, step)
        if action:
            metrics.ACTIONS.labels(action).inc()
        if action and session.status is Status.QUEUED:
            await self._wake_ups.announce(session.engine)
        return bool(action)

    def _decide(self, session: Session, suspect: Suspect) -> tuple[str, Change | None]:
        """What is done, and the change; a session may be late in more than one way, and a time limit is final."""
        unit, seen = self._unit, suspect.seen
        now = unit.clock.now()
        policy = unit.policy
        if session.status not in HELD or session.epoch != seen.epoch:
            return "", None
        if session.status is Status.RUNNING and lifecycle.ran(session, now, policy) >= session.time_limit:
            return "timed_out", lifecycle.time_out(session, unit.currency, now, policy)
        if suspect.silent and session.lease_until == seen.lease_until:
            return "worker_lost", lifecycle.lose(session, "worker_lost", unit.currency, now, policy)
        if suspect.starting and session.status is Status.INITIALIZING:
            return "never_started", lifecycle.lose(session, "never_started", unit.currency, now, policy)
        return "", None
