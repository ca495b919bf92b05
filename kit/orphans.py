"""Removing bytes that no row tells of: of an upload that was killed, or whose transaction was not committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import structlog
from sqlalchemy import Connection

from kit.blobs import Blobs, Stored
from kit.bus.connection import keep_trying
from kit.db.database import Database
from kit.db.leases import Leases
from kit.errors import Unavailable
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
_FAILURES = 10
log = structlog.get_logger("blobs")


class OrphanSweeper:
    """A part: of several replicas one at a time sweeps, once a day, in three rounds with an hour between them.

    Nothing is removed on a clock's word. What the first round found, the second puts aside if it is as it was; an
    upload takes minutes. What is aside the third removes, or puts back where a row has come to tell of it: somebody
    stored the same once more just then, and between bytes and row lie seconds. Only the unfinished parts of uploads in
    a directory go by their age alone: what breaks off then was not stored yet.
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
            self._aside = aside + await self._each(found, lambda key: self._put_aside(found[key]))
        elif aside:
            count = len(await self._each(aside, self._remove))
            REMOVED.inc(count)
            log.info("orphans removed", count=count)
            return count
        elif self._clock.monotonic() - self._looked_at >= DAY:
            await self._look(now - self._days * DAY)
            self._looked_at = self._clock.monotonic()
        return 0

    async def _look(self, before: int) -> None:
        found: dict[str, Stored] = {}
        aside: list[str] = []
        known = unknown = 0
        for prefix in self._prefixes:
            await self._blobs.clear_parts(prefix, before)
            async for items in self._blobs.stored(prefix):
                kept = await self._told_of([item.key for item in items])
                known += len(kept)
                unknown += len(items) - len(kept)
                old = {item.key: item for item in items if item.key not in kept and item.modified < before}
                found |= dict(list(old.items())[: _AT_ONCE - len(found)])
            # Those of a sweep that came to no end; another service may have some of its own there.
            async for items in self._blobs.stored(_ASIDE + prefix):
                aside += [item.key.removeprefix(_ASIDE) for item in items][: _AT_ONCE - len(aside)]
        if unknown > known and (found or aside):
            # The database is empty, another's, or being restored: nothing tells what belongs to it.
            log.error("most of what is stored no row tells of; nothing is removed", orphans=unknown, known=known)
            return
        self._found, self._aside = found, aside

    async def _put_aside(self, was: Stored) -> bool:
        item = await self._blobs.find(was.key)
        # A store may tell of parts of a second in a listing alone.
        same = item is not None and (item.size, item.modified // SECOND) == (was.size, was.modified // SECOND)
        if not same or await self._told_of([was.key]):
            return False
        await self._blobs.rename(was.key, _ASIDE + was.key)
        return True

    async def _remove(self, key: str) -> bool:
        if await self._told_of([key]) and await self._blobs.find(key) is None:
            await self._blobs.rename(_ASIDE + key, key)
            log.warning("taken for an orphan and put back", key=key)
            return False
        await self._blobs.delete(_ASIDE + key)
        return True

    async def _each(self, keys: Iterable[str], step: Callable[[str], Awaitable[bool]]) -> list[str]:
        """Those that the step was taken with. One that cannot be moved, as in an archive, does not keep the others;
        when many fail the rest waits for the next day."""
        done: list[str] = []
        failed = 0
        for key in keys:
            try:
                if await step(key):
                    done.append(key)
            except Unavailable as error:
                log.warning("an orphan stays", key=key, cause=repr(error.__cause__ or error)[:300])
                if (failed := failed + 1) == _FAILURES:
                    break
        return done

    async def _told_of(self, keys: Sequence[str]) -> frozenset[str]:
        return frozenset(await self._db.read(lambda conn: self._kept(conn, keys)))
