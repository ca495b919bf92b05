"""Wall clocks that jump, and are set right again later."""

from __future__ import annotations

from collections.abc import Sequence

from kit.times import MINUTE
from tests.chaos.faults.base import Fault
from tests.chaos.stack import ChaosStack

_LEAST, _MOST = 2, 60


def _clocked(stack: ChaosStack) -> list[str]:
    """The parts whose clock the harness can move."""
    return [part for part in stack.parts if part != "nats"]


class _Jump(Fault):
    shortest, longest = 1.5, 5.0
    direction = 1

    @property
    def parts(self) -> Sequence[str]:
        return _clocked(self.stack) if self.target == "all" else (self.target,)

    async def inject(self) -> None:
        offset = self.direction * self.rng.randint(_LEAST * MINUTE, _MOST * MINUTE)
        for part in self.parts:
            self.stack.control.knobs(part).clock = offset

    async def heal(self) -> None:
        for part in self.parts:
            self.stack.control.knobs(part).clock = 0


class Forward(_Jump):
    name = "all clocks jump forward"


class Back(_Jump):
    name = "all clocks jump back"
    direction = -1


class _OfOne(_Jump):
    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return _clocked(stack)


class OneForward(_OfOne):
    name = "one clock jumps forward"


class OneBack(_OfOne):
    name = "one clock jumps back"
    direction = -1
