"""Forgetting what is kept for a time only."""

from __future__ import annotations

import asyncio

from kit.bus.connection import keep_trying
from kit.db.database import Database
from kit.db.idempotency import IdempotencyStore

_EVERY = 3600.0


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
