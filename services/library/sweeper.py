"""What has to be done now and then, by one replica at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from kit.db.database import Database
from kit.db.leases import Leases
from kit.errors import PrsmError
from kit.ids import Ids
from kit.times import SECOND, Clock
from services.library.metrics import SWEEPS, SWEPT

log = structlog.get_logger("sweeper")
_NAME = "sweeper"


class Sweeper:
    """Run it as a task; it ends when cancelled."""

    def __init__(
        self,
        db: Database,
        leases: Leases,
        clock: Clock,
        ids: Ids,
        chores: Sequence[Callable[[], Awaitable[int]]],
        *,
        every: float,
    ) -> None:
        """`every` is in seconds; a chore tells how much it removed."""
        self._db = db
        self._leases = leases
        self._clock = clock
        self._holder = ids.new()
        self._chores = chores
        self._every = every

    async def run(self) -> None:
        try:
            while True:
                await self.round()
                await asyncio.sleep(self._every)
        finally:
            await asyncio.shield(self._db.write(lambda conn: self._leases.give_back(conn, _NAME, self._holder)))

    async def round(self) -> int:
        """Do it all once, if this replica is the one to do it. How much was removed."""
        now = self._clock.now()
        until = now + round(2 * self._every * SECOND)
        removed = 0
        try:
            if await self._db.write(lambda conn: self._leases.take(conn, _NAME, self._holder, now, until)):
                for chore in self._chores:
                    removed += await chore()
                SWEPT.inc(removed)
                SWEEPS.labels("done").inc()
        except PrsmError as error:
            SWEEPS.labels("failed").inc()
            log.warning("left for the next round", reason=error.name)
        return removed
