"""How often a service is asked, and how long a failed request waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

Now = Callable[[], float]
"""Seconds since an unknown moment; never goes back."""
Sleep = Callable[[float], Awaitable[None]]
Draw = Callable[[], float]
"""A number from 0 to 1."""


class TooLate(Exception):
    """The next turn comes after the moment until which the caller waits."""


class Bucket:
    """A token bucket: one request in `interval` seconds over time, `burst` of them at once. One for each service,
    shared by everything in the process."""

    def __init__(self, interval: float, *, now: Now, sleep: Sleep = asyncio.sleep, burst: int = 1) -> None:
        self._interval = interval
        self._ahead = (burst - 1) * interval
        self._now = now
        self._sleep = sleep
        self._next = 0.0
        self._closed_until = 0.0

    async def turn(self, until: float) -> None:
        """Wait for a turn. Raises TooLate at once when it does not come by `until`."""
        now = self._now()
        turn = max(now, self._next - self._ahead, self._closed_until)
        if turn > until:
            raise TooLate
        self._next = max(self._next, turn) + self._interval
        while (pause := max(turn, self._closed_until) - self._now()) > 0:
            if self._closed_until > until:
                raise TooLate
            await self._sleep(pause)

    def close(self, seconds: float) -> None:
        """Nobody gets a turn for so long: the service asked for it."""
        self._closed_until = max(self._closed_until, self._now() + seconds)


class Backoff:
    """Pauses between attempts: they double, each at random between half of its length and the whole."""

    def __init__(self, draw: Draw, *, first: float = 0.5, longest: float = 8.0) -> None:
        """In seconds."""
        self._draw = draw
        self._next = first
        self._longest = longest

    def pause(self) -> float:
        """The next one, in seconds."""
        length, self._next = self._next, min(2 * self._next, self._longest)
        return length * (1 + self._draw()) / 2
