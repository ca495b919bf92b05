"""Replicas of the service that keep documents together, and a press in place of the rendering processes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from kit.blobs import Blobs, open_blobs
from kit.db.database import Database
from kit.db.leases import Leases
from kit.ids import RandomIds
from kit.times import DAY, ManualClock
from services.results import tables
from services.results.cache.sweeper import Room
from services.results.cache.wiring import KeptRenditions
from services.results.ports import Order
from services.results.rendering.pool import (
    PoolSettings,
    RenderPool,
)
from services.results.rendering.protocol import NO_DOCUMENT, RenderRequest
from services.results.rendering.rendition import Rendition
from services.results.renditions import CachedRenderer

REQUEST = RenderRequest("pdf", NO_DOCUMENT, "s1")
ROOM = Room(unused=30 * DAY, most_bytes=1 << 30)
ORDER = Order(REQUEST, "d" * 64)
MADE = Rendition("application/pdf", "report.pdf", b"%PDF-" + bytes(range(256)) * 20)


async def gather() -> RenderRequest:
    return replace(REQUEST, document=b"{}")


@dataclass
class Press(RenderPool):
    """Renders what it is told to, when it is told to, and counts."""

    made: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    rendition: Rendition = MADE
    error: Exception | None = None

    def __post_init__(self) -> None:
        super().__init__(PoolSettings())
        self.open.set()

    async def render(
        self,
        request: RenderRequest | Callable[[], Awaitable[RenderRequest]],
        *,
        begun: Callable[[], None] = lambda: None,
    ) -> Rendition:
        self.started.set()
        await self.open.wait()
        begun()
        assert callable(request)
        await request()
        self.made += 1
        if self.error is not None:
            raise self.error
        return self.rendition


class Replicas:
    """Replicas of the service on one database and one store, with a press that they share."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.clock = ManualClock()
        self.press = Press()
        self.folder = folder / "blobs"
        self.blobs = open_blobs(str(self.folder))
        self._db = db
        self._open: list[CachedRenderer] = []

    def kept(self, room: Room = ROOM, blobs: Blobs | None = None) -> KeptRenditions:
        return KeptRenditions.of(
            self._db,
            Leases(tables.KIT),
            blobs or self.blobs,
            clock=self.clock,
            ids=RandomIds(self.clock),
            room=room,
        )

    def start(self, version: str = "1", memory: int = 0, kept: KeptRenditions | None = None) -> CachedRenderer:
        """One more replica, by default with no memory for documents."""
        made = (kept or self.kept()).renderer(self.press, version=version, most_bytes=memory, timeout_seconds=5)
        self._open.append(made)
        return made

    async def settle(self) -> None:
        """Return once what goes on behind the answers is done."""
        for renderer in self._open:
            await renderer.close()

    def objects(self) -> list[Path]:
        return sorted(path for path in (self.folder / "renditions").rglob("*") if path.is_file())

    async def rows(self) -> tuple[int, int]:
        return await self._db.read(self.kept().index.total)
