"""What every fault has: a type, a target, what happens, and how it ends."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar, Self

from tests.chaos.stack import ChaosStack

_ALIVE_SECONDS = 60.0
_PAUSE = 0.02
_HASTY = 0.6
"""By how many seconds a fault may exceed its shortest time where time is short."""


class Fault:
    """`inject`, then `seconds` later `heal`. Recovery counts from the end of `heal`, or of `inject` where `sudden`."""

    name: ClassVar[str]
    """The type, as the report names it."""
    sudden: ClassVar[bool] = False
    """Whether nothing is left to heal once it has happened."""
    longest: ClassVar[float] = 0.0
    shortest: ClassVar[float] = 0.0
    """Seconds between `inject` and `heal`."""

    def __init__(self, stack: ChaosStack, target: str, seconds: float, rng: random.Random) -> None:
        self.stack = stack
        self.target = target
        self.seconds = seconds
        self.rng = rng

    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        """What it can happen to; empty where it cannot happen."""
        return ("all",)

    @classmethod
    def draw(cls, stack: ChaosStack, target: str, rng: random.Random, *, haste: bool) -> Self:
        """One that lasts as long as chance will have it; with `haste` not long."""
        longest = min(cls.longest, cls.shortest + _HASTY) if haste else cls.longest
        return cls(stack, target, rng.uniform(cls.shortest, longest), random.Random(rng.getrandbits(32)))

    async def inject(self) -> None:
        raise AssertionError("each fault says what happens")

    async def heal(self) -> None:
        """Most faults of the sudden kind have nothing to take back."""

    async def alive(self, part: str) -> int:
        """The id of a part's process, once it has one. Raises AssertionError when it is not started again."""
        until = time.monotonic() + _ALIVE_SECONDS
        while (pid := self.stack.pid(part)) is None:
            assert time.monotonic() < until, f"{part} is not started again\n{self.stack.report([part])}"
            await asyncio.sleep(_PAUSE)
        return pid


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that ended meanwhile needs none."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
