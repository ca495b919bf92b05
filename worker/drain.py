"""The end of a worker that was asked to leave."""

from __future__ import annotations

import asyncio


class Drain:
    """After `begin` nothing new is taken; what is under way has `grace` seconds to reach a checkpoint."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._begun = asyncio.Event()

    @property
    def begun(self) -> bool:
        return self._begun.is_set()

    def begin(self) -> None:
        self._begun.set()

    async def wait(self) -> None:
        """Return when it begins."""
        await self._begun.wait()

    async def overdue(self) -> None:
        """Return when the grace is over."""
        await self._begun.wait()
        await asyncio.sleep(self._grace)
