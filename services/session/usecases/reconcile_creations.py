"""The end of creations that were left pending: the hold is voided, and nothing of the session remains."""

from __future__ import annotations

import asyncio

import structlog

from kit.db.database import Database
from kit.db.lapses import beyond
from kit.errors import PrsmError
from kit.times import Clock
from services.session.ports import Billing, Creation, Creations, Library

log = structlog.get_logger("creations")
_BATCH = 100


class ReconcileCreations:
    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        creations: Creations,
        billing: Billing,
        library: Library,
        lease: int,
        abort_after: int,
    ) -> None:
        """`lease` is how long one lasts, `abort_after` how long after its end a creation is given up; microseconds."""
        self._db = db
        self._clock = clock
        self._creations = creations
        self._billing = billing
        self._library = library
        self._lease = lease
        self._abort_after = abort_after

    async def __call__(self) -> int:
        """How many were brought to an end."""
        now = self._clock.now()
        before, latest = now - self._abort_after, beyond(now, self._lease)
        stuck = await self._db.read(lambda db: self._creations.stuck(db, before, latest, _BATCH))
        # All at once, so that a billing that is away costs one deadline.
        return sum(await asyncio.gather(*(self._end(creation) for creation in stuck)))

    async def _end(self, creation: Creation) -> bool:
        if creation.state == "pending" and not await self._db.write(lambda db: self._creations.give_up(db, creation)):
            return False  # Somebody went on with it meanwhile.
        try:
            # The tombstone refuses a hold that is still on its way.
            await self._billing.void_hold(creation.session_id, creation.principal)
            await self._library.discard(creation.session_id, creation.principal)
        except PrsmError as error:
            log.warning("creation not ended yet", session_id=creation.session_id, reason=error.name)
            return False
        await self._db.write(lambda db: self._creations.aborted(db, creation))
        log.info("creation given up", session_id=creation.session_id)
        return True
