"""The sweeper: one at a time over all replicas, by a leased row, it mends what nobody else will come back to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from kit.db.database import Database
from kit.db.leases import Leases
from kit.errors import PrsmError
from kit.ids import Ids
from kit.times import SECOND, Clock
from services.session import metrics

log = structlog.get_logger("sweeper")
_NAME = "sweeper"


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every `every` microseconds."""

    name: str
    every: int
    do: Callable[[], Awaitable[object]]


class Sweeper:
    """Run it as a task; it ends when cancelled."""

    def __init__(
        self, *, db: Database, leases: Leases, clock: Clock, ids: Ids, chores: list[Chore], pause: float
    ) -> None:
        """`pause` between two rounds, in seconds."""
        self._db = db
        self._leases = leases
        self._clock = clock
        self._holder = ids.new()
        self._chores = chores
        self._pause = pause
        metrics.CHORES.prepare([chore.name for chore in chores], ("done", "failed"))
        self._done = {chore.name: clock.now() - chore.every for chore in chores}

    async def run(self) -> None:
        try:
            while True:
                await self.round()
                await asyncio.sleep(self._pause)
        finally:
            await asyncio.shield(self._db.write(lambda db: self._leases.give_back(db, _NAME, self._holder)))

    async def round(self) -> None:
        """Do what is due, if this replica is the one to do it."""
        try:
            held = await self._db.write(self._take)
        except Exception as error:
            log.warning("no lease", cause=repr(error))
            return
        if not held:
            metrics.SWEPT.forget()
            return
        for chore in self._chores:
            now = self._clock.now()
            if now - self._done[chore.name] < chore.every:
                continue
            self._done[chore.name] = now
            outcome = "failed"
            try:
                await chore.do()
                outcome = "done"
            except PrsmError as error:
                log.warning("will be tried again", chore=chore.name, reason=error.name)
            except Exception:
                # One chore's fault must not keep the others from being done.
                log.exception("chore failed", chore=chore.name)
            metrics.CHORES.labels(chore.name, outcome).inc()
        metrics.SWEPT.set(self._clock.now() / SECOND)

    def _take(self, db: Connection) -> bool:
        now = self._clock.now()
        until = now + round((self._pause * 5 + 10) * SECOND)
        return self._leases.take(db, _NAME, self._holder, now, until)
