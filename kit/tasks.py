"""Ending background tasks for sure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any


async def end(tasks: Iterable[asyncio.Task[Any]], *, tries: int = 20) -> None:
    """Cancel tasks until they have ended, at most `tries` times a quarter of a second.

    Once is not always enough: `asyncio.wait_for` before Python 3.12 loses a cancellation that comes together with
    the result it waits for, and client libraries catch one now and then.
    """
    left = {task for task in tasks if not task.done()}
    for _ in range(tries):
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.25)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run `work` while the block lasts."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        await end([task])
