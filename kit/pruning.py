"""Forgetting what is kept for a time only."""

from __future__ import annotations

import asyncio

from kit.bus.connection import keep_trying
from kit.db.database import Database
from kit.db.idempotency import IdempotencyStore
from kit.db.inbox import Inbox
from kit.times import DAY

_EVERY = 3600.0
_AT_ONCE = 5_000
_MARGIN = 2 * DAY


class IdempotencyPruner:
    """A part that removes the records of idempotency keys once they are no longer kept. Any replica may do it."""

    def __init__(self, db: Database, idempotency: IdempotencyStore, *, every: float = _EVERY) -> None:
        """`every` is in seconds."""
        self._db = db
        self._idempotency = idempotency
        self._every = every

    async def run(self) -> None:
        await keep_trying("idempotency pruner", self._step)

    async def _step(self) -> None:
        await self._db.write(self._idempotency.prune)
        await asyncio.sleep(self._every)


class InboxPruner:
    """A part that removes the versions of events that the stream let go of long ago. Any replica may do it.

    Only for consumers whose effects are the same when an event is applied once more: nobody can tell that a stream
    from long ago is never put back.
    """

    def __init__(self, db: Database, inbox: Inbox, *, retention: int, every: float = _EVERY) -> None:
        """`retention` is how long the stream keeps events, in microseconds; `every` is in seconds."""
        self._db = db
        self._inbox = inbox
        # What could not be published for a while lives in the stream from then on.
        self._older = 2 * retention + _MARGIN
        self._every = every

    async def run(self) -> None:
        await keep_trying("inbox pruner", self._step)

    async def _step(self) -> None:
        while await self._db.write(lambda c: self._inbox.prune(c, self._older, _AT_ONCE)) >= _AT_ONCE:
            pass
        await asyncio.sleep(self._every)
