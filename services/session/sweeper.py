"""The sweeper: one at a time over all replicas, by a leased row, it mends what nobody else will come back to.

Taking the lease is a commit, so a round begins only while the database takes writes: where it does not, no worker could
be heard either, and nobody is judged. Chores run beside each other, and one that hangs is ended after a while.
"""

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
        self,
        *,
        db: Database,
        leases: Leases,
        clock: Clock,
        ids: Ids,
        chores: list[Chore],
        pause: float,
        longest: float = 120.0,
    ) -> None:
        """`pause` is between two rounds; a chore that takes longer than `longest` is ended, and the next round begins
        it again. Both in seconds."""
        self._db = db
        self._leases = leases
        self._clock = clock
        self._holder = ids.new()
        self._chores = chores
        self._pause = pause
        self._longest = longest
        metrics.CHORES.prepare([chore.name for chore in chores], ("done", "failed"))
        # By a clock that cannot be set: neither are chores skipped for an hour nor done all at once.
        self._begun = {chore.name: clock.monotonic() - chore.every for chore in chores}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        try:
            while True:
                await self._begin()
                await asyncio.sleep(self._pause)
        finally:
            await asyncio.shield(self._leave())

    async def round(self) -> None:
        """Do what is due, if this replica is the one to do it, and wait until it is done."""
        await self._begin()
        await asyncio.gather(*self._running.values())

    async def _begin(self) -> None:
        try:
            held = await self._db.write(self._take)
        except Exception as error:
            log.warning("no lease", cause=repr(error))
            return
        if not held:
            metrics.SWEPT.forget()
            return
        for chore in self._chores:
            now = self._clock.monotonic()
            running = self._running.get(chore.name)
            if now - self._begun[chore.name] < chore.every or (running is not None and not running.done()):
                continue
            self._begun[chore.name] = now
            self._running[chore.name] = asyncio.create_task(self._do(chore), name=f"sweeper-{chore.name}")
        metrics.SWEPT.set(self._clock.now() / SECOND)

    async def _do(self, chore: Chore) -> None:
        outcome = "failed"
        try:
            async with asyncio.timeout(self._longest):
                await chore.do()
            outcome = "done"
        except PrsmError as error:
            log.warning("will be tried again", chore=chore.name, reason=error.name)
        except Exception:
            # One chore's fault must not keep the others from being done.
            log.exception("chore failed", chore=chore.name)
        metrics.CHORES.labels(chore.name, outcome).inc()

    async def _leave(self) -> None:
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._db.write(lambda db: self._leases.give_back(db, _NAME, self._holder))

    def _take(self, db: Connection) -> bool:
        now = self._clock.now()
        until = now + round((self._pause * 5 + 10) * SECOND)
        return self._leases.take(db, _NAME, self._holder, now, until)
