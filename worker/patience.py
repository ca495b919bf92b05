"""Calling again while a service is away."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kit.errors import DeadlineExceeded, Unavailable

T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


class Backoff:
    """Pauses that double, each at random between half of its length and the whole: what failed together is not tried
    again together."""

    def __init__(
        self,
        first: float = _FIRST_PAUSE,
        longest: float = _LONGEST_PAUSE,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """In seconds; `draw` gives numbers from 0 to 1."""
        self._next = first
        self._longest = longest
        self._draw = draw

    def pause(self) -> float:
        """The next one."""
        length, self._next = self._next, min(2 * self._next, self._longest)
        return length * (1 + self._draw()) / 2


async def insist(call: Callable[[], Awaitable[T]], *, seconds: float | None = None) -> T:
    """Make an idempotent call, again while the service is away; for `seconds`, or until cancelled.

    Raises Unavailable or DeadlineExceeded after that, and at once whatever else the call raises.
    """
    backoff = Backoff()
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            return await call()
        except (Unavailable, DeadlineExceeded):
            pause = backoff.pause()
            if until is not None and time.monotonic() + pause > until:
                raise
        await asyncio.sleep(pause)
