"""Finished documents in the object store, under a prefix of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog

from kit.blobs import Blobs, Stored
from services.results import metrics
from services.results.cache.frame import Damaged, framed, unframed
from services.results.rendering.rendition import Rendition

PREFIX = "renditions"
log = structlog.get_logger("results")


class RenditionObjects:
    """Nothing but what lies under the prefix is ever written or removed."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def get(self, key: str) -> Rendition | None:
        """None also for one that was damaged: it is made anew then. Raises Unavailable."""
        data = await self._blobs.get(_place(key))
        if data is None:
            return None
        try:
            return unframed(data)
        except Damaged as error:
            metrics.DAMAGED.inc()
            log.warning("damaged rendition", key=key, size=len(data), cause=str(error))
            return None

    async def put(self, key: str, rendition: Rendition) -> int:
        """Store, and say how many bytes that takes. Raises Unavailable."""
        data = framed(rendition)
        # It can be made again: not worth waiting for the disk.
        await self._blobs.put(_place(key), data, durable=False)
        return len(data)

    async def remove(self, key: str) -> None:
        """Raises Unavailable."""
        await self._blobs.delete(_place(key))

    async def listed(self) -> AsyncIterator[dict[str, Stored]]:
        """What lies there, by key, some hundred at a time. Raises Unavailable."""
        async for found in self._blobs.stored(PREFIX):
            yield {item.key.rpartition("/")[2]: item for item in found}


def _place(key: str) -> str:
    return f"{PREFIX}/{key[:2]}/{key}"
