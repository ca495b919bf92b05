"""When kept documents were last handed out, written down now and then: an hour more or less does not matter."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import structlog

from kit.db.database import Database
from kit.errors import Unavailable
from kit.times import HOUR
from services.results.cache.index import RenditionIndex, Row

log = structlog.get_logger("results")
_REMEMBERED = 10_000


class Uses:
    def __init__(self, db: Database, index: RenditionIndex, *, every: int = HOUR) -> None:
        """`every` is how long, in microseconds, one use of a document stands for all that follow."""
        self._db = db
        self._index = index
        self._every = every
        self._written: OrderedDict[str, int] = OrderedDict()
        self.tasks: set[asyncio.Task[None]] = set()
        """Uses that are being written down."""

    def note(self, row: Row) -> None:
        """The document was handed out at `row.used_at`. Returns at once."""
        if row.used_at - self._written.get(row.key, -self._every) < self._every:
            return
        self._written[row.key] = row.used_at
        self._written.move_to_end(row.key)
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)
        task = asyncio.create_task(self._write(row), name="rendition-used")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _write(self, row: Row) -> None:
        try:
            await self._db.write(lambda conn: self._index.use(conn, row))
        except Unavailable as error:
            log.warning("a rendition's use is not noted", cause=repr(error))
