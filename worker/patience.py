"""Calling again while a service is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kit.errors import DeadlineExceeded, Unavailable

T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


async def insist(call: Callable[[], Awaitable[T]], *, seconds: float | None = None) -> T:
    """Make an idempotent call, again while the service is away; for `seconds`, or until cancelled.

    Raises Unavailable or DeadlineExceeded after that, and at once whatever else the call raises.
    """
    pause = _FIRST_PAUSE
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            return await call()
        except (Unavailable, DeadlineExceeded):
            if until is not None and time.monotonic() + pause > until:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
