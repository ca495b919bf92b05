"""Which fault comes when: drawn from a seed, each type in its turn, each target of a type in its turn."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tests.chaos.faults.base import Fault
from tests.chaos.faults.clocks import Back, Forward, OneBack, OneForward
from tests.chaos.faults.connections import Lost, Reset, Slow
from tests.chaos.faults.database import KilledBackend, KilledPostmaster, StoppedPostgres, TerminatedBackends
from tests.chaos.faults.processes import (
    KilledBroker,
    KilledGateway,
    KilledService,
    KilledWorker,
    Restarted,
    Rolled,
    StoppedBroker,
    StoppedGateway,
    StoppedService,
    StoppedWorker,
)
from tests.chaos.faults.stores import EarlierStore, FullDisk, SlowDisk, WipedStore
from tests.chaos.stack import ChaosStack

EVERYWHERE: tuple[type[Fault], ...] = (
    KilledWorker, KilledService, KilledGateway, KilledBroker,
    StoppedWorker, StoppedService, StoppedGateway, StoppedBroker,
    Restarted, Rolled, Reset, Lost, Slow,
    WipedStore, EarlierStore, FullDisk, SlowDisk,
    Forward, Back, OneForward, OneBack,
)  # fmt: skip
"""Types that can happen whatever the database is."""
POSTGRESQL: tuple[type[Fault], ...] = (KilledBackend, KilledPostmaster, StoppedPostgres, TerminatedBackends)
"""Types that need a PostgreSQL server."""


class Schedule:
    """Faults without end. `part` of `parts` says which share of the types comes first here: runs that follow each other
    share the types out, so that together they have had each after the shortest time."""

    def __init__(
        self,
        stack: ChaosStack,
        rng: random.Random,
        *,
        part: int = 0,
        parts: int = 1,
        only: Sequence[str] = (),
        haste: bool = False,
    ) -> None:
        """`only` are words, one of which a type's name must contain. With `haste` faults and pauses are short."""
        self._haste = haste
        self._stack = stack
        self._rng = rng
        everywhere = list(EVERYWHERE)
        random.Random(parts).shuffle(everywhere)  # The same for all parts of a run.
        first = [*everywhere[part::parts], *(POSTGRESQL if stack.postgres is not None else ())]
        chosen = [*first, *(kind for kind in everywhere if kind not in first)]
        self.kinds = [kind for kind in chosen if not only or any(word in kind.name for word in only)]
        self.first = [kind for kind in first if kind in self.kinds]
        """The types that must have come."""
        self._targets = {kind: self._turns(kind.targets(stack)) for kind in self.kinds}

    def __iter__(self) -> Iterator[Fault]:
        rest = [kind for kind in self.kinds if kind not in self.first]
        self._rng.shuffle(first := list(self.first))
        self._rng.shuffle(rest)
        deck = [*first, *rest]
        while True:
            for kind in deck:
                yield kind.draw(self._stack, next(self._targets[kind]), self._rng, haste=self._haste)
            deck = list(self.kinds)
            self._rng.shuffle(deck)

    def gap(self) -> float:
        """Seconds of calm before the next one."""
        return self._rng.uniform(0.1, 0.5) if self._haste else self._rng.uniform(0.3, 2.5)

    def _turns(self, targets: Sequence[str]) -> Iterator[str]:
        while True:
            turn = list(targets)
            self._rng.shuffle(turn)
            yield from turn
