"""Wake-ups that were lost are said again: for every session that waits or is worked on there should be one."""

from __future__ import annotations

from kit.db.database import Database
from services.session.ports import Queue, WakeUps

MOST = 1000


class TopUpWakeUps:
    def __init__(self, db: Database, queue: Queue, wake_ups: WakeUps) -> None:
        self._db = db
        self._queue = queue
        self._wake_ups = wake_ups

    async def __call__(self) -> int:
        """How many were said. Raises Unavailable while the broker is away."""
        said = 0
        for engine, wanted in (await self._db.read(self._queue.demand)).items():
            missing = min(wanted, MOST) - await self._wake_ups.announced(engine)
            if missing > 0:
                await self._wake_ups.announce(engine, missing)
                said += missing
        return said
