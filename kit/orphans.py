"""Removing bytes that no row tells of: of an upload that was killed, or whose transaction was not committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

import structlog
from sqlalchemy import Connection

from kit.blobs import Blobs, Stored
from kit.bus.connection import keep_trying
from kit.db.database import Database
from kit.db.leases import Leases
from kit.ids import Ids
from kit.telemetry.metrics import Counter
from kit.times import DAY, SECOND, Clock

Kept = Callable[[Connection, Sequence[str]], Collection[str]]
"""Those of some keys that are to stay: rows tell of them, or they are none of the service's."""

REMOVED = Counter("prsm_blobs_orphans_removed_total", "Stored bytes that no row told of and that were removed.")
REMOVED.prepare()
_NAME = "orphan sweeper"
_ASIDE = "orphans/"
_AT_ONCE = 10_000
_FEW = 20
log = structlog.get_logger("blobs")


class OrphanSweeper:
    """A part: of several replicas one at a time sweeps, once a day, in three rounds with an hour between them.

    Nothing is removed on a clock's word. What the first round found, the second puts aside if it is as it was; an
    upload takes minutes. What is aside the third removes, or puts back where a row has come to tell of it: somebody
    stored the same once more just then, and between bytes and row lie seconds.
    """

    def __init__(
        self,
        *,
        db: Database,
        leases: Leases,
        blobs: Blobs,
        clock: Clock,
        ids: Ids,
        kept: Kept,
        prefixes: Sequence[str],
        days: int,
        every: float = 3600.0,
    ) -> None:
        """Nothing but what lies under the prefixes is looked at; nothing younger than `days` is removed. `every` is
        how long lies between two rounds, in seconds."""
        self._db = db
        self._leases = leases
        self._blobs = blobs
        self._clock = clock
        self._holder = ids.new()
        self._kept = kept
        self._prefixes = prefixes
        self._days = days
        self._every = every
        self._found: dict[str, Stored] = {}
        self._aside: list[str] = []
        self._looked_at = clock.monotonic() - DAY

    async def run(self) -> None:
        try:
            await keep_trying(_NAME, self._step)
        finally:
            await asyncio.shield(self._db.write(lambda conn: self._leases.give_back(conn, _NAME, self._holder)))

    async def _step(self) -> None:
        await asyncio.sleep(self._every)
        await self.round()

    async def round(self) -> int:
        """The next of the three rounds; the first only when a day has passed. How much was removed. Raises
        Unavailable."""
        (found, self._found), (aside, self._aside) = (self._found, {}), (self._aside, [])
        now = self._clock.now()
        until = now + round(3 * self._every * SECOND)
        if not await self._db.write(lambda conn: self._leases.take(conn, _NAME, self._holder, now, until)):
            return 0
        if found:
            self._aside = aside + await self._put_aside(found)
        elif aside:
            return await self._remove(aside)
        elif self._clock.monotonic() - self._looked_at >= DAY:
            self._found = await self._look(now - self._days * DAY)
            # Those of a sweep that came to no end.
            self._aside = [
                item.key.removeprefix(_ASIDE) async for items in self._blobs.stored(_ASIDE) for item in items
            ]
            self._looked_at = self._clock.monotonic()
        return 0

    async def _look(self, before: int) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        known = 0
        for prefix in self._prefixes:
            await self._blobs.clear_parts(prefix, before)
            async for items in self._blobs.stored(prefix):
                kept = await self._told_of([item.key for item in items])
                known += len(kept)
                old = {item.key: item for item in items if item.key not in kept and item.modified < before}
                found |= dict(list(old.items())[: _AT_ONCE - len(found)])
        if len(found) > known + _FEW:
            # The database is empty, another's, or being restored: nothing tells what belongs to it.
            log.error("most of what is stored no row tells of; nothing is removed", orphans=len(found), known=known)
            return {}
        return found

    async def _put_aside(self, found: dict[str, Stored]) -> list[str]:
        aside: list[str] = []
        for key, was in found.items():
            item = await self._blobs.find(key)
            # A store may tell of parts of a second in a listing alone.
            same = item is not None and (item.size, item.modified // SECOND) == (was.size, was.modified // SECOND)
            if same and not await self._told_of([key]):
                await self._blobs.rename(key, _ASIDE + key)
                aside.append(key)
        return aside

    async def _remove(self, aside: Sequence[str]) -> int:
        count = 0
        for key in aside:
            if await self._told_of([key]) and await self._blobs.find(key) is None:
                await self._blobs.rename(_ASIDE + key, key)
                log.warning("taken for an orphan and put back", key=key)
                continue
            await self._blobs.delete(_ASIDE + key)
            count += 1
        REMOVED.inc(count)
        log.info("orphans removed", count=count)
        return count

    async def _told_of(self, keys: Sequence[str]) -> frozenset[str]:
        return frozenset(await self._db.read(lambda conn: self._kept(conn, keys)))
