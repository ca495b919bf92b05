"""Connections between parts that are lost, with a word and without."""

from __future__ import annotations

from collections.abc import Sequence

from tests.chaos.faults.base import Fault
from tests.chaos.proxy import Link
from tests.chaos.stack import ChaosStack

_EVERY = "every link"
_OF_WORKERS = "workers"


def _choices(stack: ChaosStack) -> list[str]:
    """All links to NATS, to PostgreSQL, of the workers, each pair of services, and everything."""
    peers = {"nats", "postgres", "billing", "library", "results", "session", "collab"}
    known = {peer for _, peer in stack.links}
    return [*(f"to {peer}" for peer in sorted(peers & known)), _OF_WORKERS, _EVERY]


def _links(stack: ChaosStack, target: str) -> list[Link]:
    if target == _EVERY:
        return list(stack.links.values())
    if target == _OF_WORKERS:
        return [link for (part, _), link in stack.links.items() if part.startswith("worker-")]
    return [link for (_, peer), link in stack.links.items() if target == f"to {peer}"]


class _OfLinks(Fault):
    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return _choices(stack)

    @property
    def links(self) -> list[Link]:
        return _links(self.stack, self.target)


class Reset(_OfLinks):
    """Every connection ends with a reset, in the middle of whatever was under way."""

    name = "connections reset"
    sudden = True

    async def inject(self) -> None:
        for link in self.links:
            link.reset()


class Lost(_OfLinks):
    """For seconds nothing passes and nobody is told; then what was on its way arrives, late."""

    name = "connections silent"
    shortest, longest = 1.0, 6.0

    async def inject(self) -> None:
        for link in self.links:
            link.hold()

    async def heal(self) -> None:
        for link in self.links:
            link.release()


class Slow(_OfLinks):
    """Bytes take a tenth of a second or more, each way."""

    name = "connections slow"
    shortest, longest = 2.0, 5.0

    async def inject(self) -> None:
        for link in self.links:
            link.delay = self.rng.uniform(0.1, 0.4)

    async def heal(self) -> None:
        for link in self.links:
            link.delay = 0.0
