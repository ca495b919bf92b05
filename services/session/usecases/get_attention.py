"""GetAttention: what a person has to look at, because it waits for longer than any sweeper should let it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.db.database import Database
from kit.times import DAY, MINUTE, Clock
from services.session.ports import Failures, Overlong

_SETTLED_WITHIN = 10 * MINUTE
_CREATED_WITHIN = 15 * MINUTE
_CLAIMED_WITHIN = 10 * MINUTE
_LATELY = DAY
_PAUSED_FOR = 7 * DAY


@dataclass(frozen=True, slots=True)
class Backlog:
    """An engine's queue that does not move: how many wait, since when, and how many workers hold."""

    engine: str
    queued: int
    since: int
    in_hand: int


@dataclass(frozen=True, slots=True)
class Attention:
    """`failed` counts by error code what failed lately by the platform's fault and has no successor."""

    unsettled: Overlong
    creations: Overlong
    queues: tuple[Backlog, ...]
    failed: Mapping[str, int]
    paused: Overlong


class GetAttention:
    def __init__(self, db: Database, failures: Failures, clock: Clock) -> None:
        self._db = db
        self._failures = failures
        self._clock = clock

    async def __call__(self) -> Attention:
        """The limits are those of the alerts in the runbook."""
        now = self._clock.now()
        return await self._db.scan(lambda db: self._look(db, now))

    def _look(self, db: Connection, now: int) -> Attention:
        failures = self._failures
        in_hand = failures.in_hand(db)
        queues = tuple(
            Backlog(engine, count, since, in_hand.get(engine, 0))
            for engine, (count, since) in sorted(failures.queue(db).items())
            if since is not None and since <= now - _CLAIMED_WITHIN
        )
        return Attention(
            unsettled=failures.unsettled(db, now - _SETTLED_WITHIN),
            creations=failures.creations(db, now - _CREATED_WITHIN),
            queues=queues,
            failed=failures.by_code(db, now - _LATELY),
            paused=failures.paused(db, now - _PAUSED_FOR),
        )
