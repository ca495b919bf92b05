"""ClaimNext: the next session by the fair key goes to a worker.

A worker that is lost takes all its sessions with it, and one of them may be what killed it. So nobody's last attempt
is made in company: a session that was lost before, and that would fail the next time, is given only to a worker that
has nothing else in hand and takes nothing else meanwhile. Whoever fails then did it alone. An owner's lane waits behind
such a session, so its turn cannot be missed; and when only busy workers ask, one of them is told to empty itself, so a
free worker comes. It is the least busy one of those that are known to offer the engine: because they have sessions of
it in hand, or asked for it here. Others would never come for what waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.times import SECOND
from services.session import lifecycle, metrics
from services.session.domain import FinishedStage, Session, Status
from services.session.errors import LostRace
from services.session.ports import Queue, Turn
from services.session.usecases.worker_unit import WorkerUnit


@dataclass(frozen=True, slots=True)
class Asker:
    """A worker that looks for work: `in_hand` is how many sessions it has."""

    worker_id: str
    engines: Sequence[str]
    in_hand: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    session: Session
    stages: Sequence[FinishedStage]
    grant: str
    alone: bool


@dataclass(frozen=True, slots=True)
class EmptyFirst:
    """A session waits that must be alone: the worker is to take nothing more until it has nothing in hand."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """`waited` is how long the session was queued."""

    session: Session
    stages: Sequence[FinishedStage]
    waited: int


class _Offers:
    """What workers have asked for, as far as they did so here: they may name only some of their engines each time."""

    MOST = 10_000

    def __init__(self) -> None:
        self._engines: dict[str, set[str]] = {}

    def note(self, asker: Asker) -> None:
        # Those that have not asked for longest are forgotten first; what they offer is learnt again.
        known = self._engines.pop(asker.worker_id, set())
        self._engines[asker.worker_id] = known.union(asker.engines)
        if len(self._engines) > self.MOST:
            del self._engines[next(iter(self._engines))]

    def has(self, worker_id: str, engine: str) -> bool:
        return engine in self._engines.get(worker_id, ())


class ClaimNext:
    def __init__(self, worker: WorkerUnit, queue: Queue, owner_cap: int) -> None:
        """`owner_cap` is how many sessions of one owner may be in the hands of workers."""
        self._worker = worker
        self._queue = queue
        self._cap = owner_cap
        self._offers = _Offers()

    async def __call__(self, asker: Asker) -> Claimed | EmptyFirst | None:
        """None when there is no work."""
        worker = self._worker
        metrics.asked(asker.engines)
        self._offers.note(asker)
        found = await worker.unit.db.write(lambda db: self._claim(db, asker))
        if not isinstance(found, _Taken):
            return found
        session = found.session
        metrics.moved(Status.QUEUED, session)
        metrics.QUEUE_WAIT.labels(session.engine).observe(found.waited / SECOND)
        worker.unit.watchers.changed(session.session_id)
        alone = lifecycle.must_be_alone(session, worker.unit.policy)
        return Claimed(session, found.stages, worker.grant(session), alone)

    def _claim(self, db: Connection, asker: Asker) -> _Taken | EmptyFirst | None:
        for turn in self._queue.turns(db, asker.engines, self._cap):
            found = self._serve(db, asker, turn)
            if found is not None:
                return found
        return None

    def _serve(self, db: Connection, asker: Asker, turn: Turn) -> _Taken | EmptyFirst | None:
        """None when this owner has nothing for this worker."""
        unit = self._worker.unit
        now = unit.clock.now()
        for session_id in turn.session_ids:
            session = unit.sessions.lock(db, session_id)
            if session is None or session.status is not Status.QUEUED:
                continue  # Cancelled a moment ago.
            if asker.in_hand and lifecycle.must_be_alone(session, unit.policy):
                return EmptyFirst() if self._is_to_empty(db, asker.worker_id, session.engine) else None
            change = lifecycle.claim(session, asker.worker_id, now, unit.policy)
            change.after.grant_until = now + self._worker.grant_ttl
            try:
                claimed = unit.sessions.apply(db, change)
            except LostRace:
                continue
            self._queue.served(db, turn)
            waited = max(now - session.status_since, 0)
            return _Taken(claimed, unit.sessions.finished_stages(db, session_id), waited)
        return None

    def _is_to_empty(self, db: Connection, worker_id: str, engine: str) -> bool:
        busy = self._queue.busy(db, self._worker.unit.policy.max_failures - 1)
        offering = (w.worker_id for w in busy if engine in w.engines or self._offers.has(w.worker_id, engine))
        return next(offering, "") == worker_id
