"""Removing finished documents that nobody has asked for lately, or that there is no room for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from kit.bus.connection import keep_trying
from kit.db.database import Database
from kit.db.leases import Leases
from kit.ids import Ids
from kit.times import DAY, HOUR, SECOND, Clock
from services.results import metrics
from services.results.cache.claims import LEASE
from services.results.cache.index import RenditionIndex, Row
from services.results.cache.objects import RenditionObjects

log = structlog.get_logger("results")
_NAME = "rendition sweeper"
_BATCH = 200
_DOWN_TO = 0.9
"""When there is no room, so much of it is left filled: not every document that comes evicts another one."""


@dataclass(frozen=True, slots=True)
class Room:
    """How long and how much is kept: `unused` in microseconds, `every`, between two looks, in seconds."""

    unused: int
    most_bytes: int
    every: float = 300.0


class RenditionSweeper:
    """A part: of several replicas one at a time sweeps. What it is interrupted in, the next sweep goes on with."""

    def __init__(
        self,
        *,
        db: Database,
        leases: Leases,
        index: RenditionIndex,
        objects: RenditionObjects,
        clock: Clock,
        ids: Ids,
        room: Room,
    ) -> None:
        self._db = db
        self._leases = leases
        self._index = index
        self._objects = objects
        self._clock = clock
        self._holder = ids.new()
        self._room = room
        # First an hour after the start, for a service that is started anew each day would never come to it.
        self._listed_at = clock.monotonic() - DAY + HOUR

    async def run(self) -> None:
        try:
            await keep_trying(_NAME, self._step)
        finally:
            await asyncio.shield(self._db.write(lambda conn: self._leases.give_back(conn, _NAME, self._holder)))

    async def _step(self) -> None:
        await asyncio.sleep(self._room.every)
        if not await self.is_mine():
            return
        await self.sweep()
        if self._clock.monotonic() - self._listed_at > DAY:
            self._listed_at = self._clock.monotonic()
            await self.remove_strays()

    async def is_mine(self) -> bool:
        """Take the lease, or keep it."""
        now = self._clock.now()
        until = now + round(3 * self._room.every * SECOND)
        return await self._db.write(lambda conn: self._leases.take(conn, _NAME, self._holder, now, until))

    async def sweep(self) -> None:
        """Remove what was not used for long, then the least used until there is room. Raises Unavailable."""
        before = self._clock.now() - self._room.unused
        while rows := await self._least_used(before):
            await self._remove(rows, "unused")
        _, size = await self._db.read(self._index.total)
        over = size - round(self._room.most_bytes * _DOWN_TO) if size > self._room.most_bytes else 0
        while over > 0 and (rows := await self._least_used(self._clock.now())):
            chosen: list[Row] = []
            while rows and over > 0:
                row, *rows = rows
                chosen.append(row)
                over -= row.size
            await self._remove(chosen, "room")

    async def remove_strays(self) -> None:
        """Remove objects that no row tells of, as after an index was restored. Raises Unavailable."""
        before = self._clock.now() - DAY
        async for found in self._objects.listed():
            known = await self._known(found)
            for key, item in found.items():
                if key not in known and item.modified < before:
                    await self._objects.remove(key)
                    metrics.EVICTED.labels("stray").inc()

    async def _known(self, keys: Iterable[str]) -> frozenset[str]:
        return await self._db.read(lambda conn: self._index.known(conn, keys))

    async def _least_used(self, before: int) -> list[Row]:
        now = self._clock.now()
        return list(
            await self._db.read(
                lambda conn: self._index.least_used(conn, before=before, now=now, lease=LEASE, limit=_BATCH)
            )
        )

    async def _remove(self, rows: list[Row], reason: str) -> None:
        for row in rows:
            await self._objects.remove(row.key)
        await self._db.write(lambda conn: self._index.forget(conn, rows))
        metrics.EVICTED.labels(reason).inc(len(rows))
        log.info("renditions removed", count=len(rows), bytes=sum(row.size for row in rows), why=reason)
