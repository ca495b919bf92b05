"""Tests that mostly wait, run beside each other: a fixture begins them together, and each test awaits its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


@asynccontextmanager
async def beside_each_other(
    runs: Mapping[K, Coroutine[None, None, None]],
) -> AsyncIterator[Mapping[K, asyncio.Task[None]]]:
    """The runs as tasks by name. At the end those that still run, as nobody awaited them, are cancelled."""
    tasks = {name: asyncio.create_task(run) for name, run in runs.items()}
    try:
        yield tasks
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
