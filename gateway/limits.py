"""Requests per second and principal: a token bucket each, in this process."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from kit.times import SECOND, Clock

_MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, how many more may at once, and the whole seconds until another may."""

    allowed: bool
    remaining: int
    wait: int


class RateLimiter:
    """`rate` requests a second, `burst` at once; the longest idle principals are forgotten first."""

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()
        window = max(1, round(burst / rate))
        self.policy: Final = f'"default";q={burst};w={window}'

    def take(self, principal: str) -> Verdict:
        """Count one request of a principal."""
        now = self._clock.now()
        level, at = self._buckets.pop(principal, (float(self._burst), now))
        level = min(float(self._burst), level + max(0, now - at) * self._rate / SECOND)
        allowed = level >= 1
        level -= allowed
        self._buckets[principal] = (level, now)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        wait = 0 if level >= 1 else -int(-(1 - level) // self._rate)
        return Verdict(allowed, int(level), wait)
