"""Of several replicas one makes a document: whoever has its claim, for as long as it lives."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from kit.db.database import Database
from kit.errors import Unavailable
from kit.ids import Ids
from kit.tasks import beside
from kit.times import SECOND, Clock
from services.results.cache.index import RenditionIndex

LEASE = 6 * SECOND
"""How long a claim lasts unless it is extended; others wait so long for a replica that died."""

_EXTENDED_EVERY = 2.0
_POLLS = (0.02, 0.05, 0.1, 0.2)
log = structlog.get_logger("results")


class Claim:
    """`size` is what the index knows of the document: more than 0 when it was stored."""

    def __init__(self, key: str, holder: str, size: int) -> None:
        self.key = key
        self.holder = holder
        self.size = size


class Claims:
    def __init__(self, db: Database, index: RenditionIndex, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._index = index
        self._clock = clock
        self._ids = ids

    async def take(self, key: str, format: str) -> Claim | None:
        """None while another replica has it. Raises Unavailable."""
        holder, now = self._ids.new(), self._clock.now()
        size = await self._db.write(lambda conn: self._index.claim(conn, key, format, holder, now, now + LEASE))
        return None if size is None else Claim(key, holder, size)

    async def released(self, key: str, *, within: float) -> bool:
        """Return once nobody has it; False when that takes more than so many seconds. Raises Unavailable."""
        try:
            async with asyncio.timeout(within):
                for turn in itertools.count():
                    await asyncio.sleep(_POLLS[min(turn, len(_POLLS) - 1)])
                    if not await self._db.read(lambda c: self._index.is_claimed(c, key, self._clock.now(), LEASE)):
                        break
        except TimeoutError:
            return False
        return True

    @asynccontextmanager
    async def held(self, claim: Claim) -> AsyncIterator[None]:
        """Extend the claim while the block lasts."""
        async with beside(self._extend(claim), "rendition-claim"):
            yield

    async def finish(self, claim: Claim, size: int) -> None:
        """The document is stored, with so many bytes. Raises Unavailable."""
        await self._db.write(lambda conn: self._index.finish(conn, claim.key, claim.holder, size))

    async def give_up(self, claim: Claim) -> None:
        """Raises Unavailable."""
        await self._db.write(lambda conn: self._index.release(conn, claim.key, claim.holder))

    async def _extend(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(_EXTENDED_EVERY)
            try:
                await self._db.write(
                    lambda conn: self._index.extend(conn, claim.key, claim.holder, self._clock.now() + LEASE)
                )
            except Unavailable as error:
                log.warning("a rendition's claim is not extended", cause=repr(error))
