"""What keeps finished documents, put together."""

from __future__ import annotations

from dataclasses import dataclass

from kit.blobs import Blobs
from kit.db.database import Database
from kit.db.leases import Leases
from kit.ids import Ids
from kit.telemetry.readings import Reading
from kit.times import Clock
from services.results import metrics
from services.results.cache.claims import Claims
from services.results.cache.index import RenditionIndex
from services.results.cache.objects import RenditionObjects
from services.results.cache.sweeper import RenditionSweeper, Room
from services.results.cache.uses import Uses
from services.results.rendering.pool import RenderPool
from services.results.renditions import CachedRenderer

_READ_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class KeptRenditions:
    """The parts that share one index and one place in the object store."""

    db: Database
    index: RenditionIndex
    objects: RenditionObjects
    claims: Claims
    uses: Uses
    clock: Clock
    sweeper: RenditionSweeper

    @classmethod
    def of(cls, db: Database, leases: Leases, blobs: Blobs, *, clock: Clock, ids: Ids, room: Room) -> KeptRenditions:
        index, objects = RenditionIndex(), RenditionObjects(blobs)
        sweeper = RenditionSweeper(db=db, leases=leases, index=index, objects=objects, clock=clock, ids=ids, room=room)
        return cls(db, index, objects, Claims(db, index, clock, ids), Uses(db, index), clock, sweeper)

    def renderer(self, pool: RenderPool, *, version: str, most_bytes: int, timeout_seconds: float) -> CachedRenderer:
        """See CachedRenderer."""
        return CachedRenderer(
            pool,
            objects=self.objects,
            claims=self.claims,
            uses=self.uses,
            clock=self.clock,
            version=version,
            most_bytes=most_bytes,
            timeout_seconds=timeout_seconds,
        )

    def reading(self) -> Reading:
        """How many there are, for metrics."""

        async def take() -> None:
            count, size = await self.db.read(self.index.total)
            metrics.KEPT.set(count)
            metrics.KEPT_BYTES.set(size)

        return Reading("renditions", _READ_EVERY, take, (metrics.KEPT, metrics.KEPT_BYTES), shared=True)
