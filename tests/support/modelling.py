"""What model-based tests have in common: commands that a model and a service both carry out, alone or at once."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, ClassVar, Generic, TypeVar

from kit.errors import PrsmError

W = TypeVar("W")
T = TypeVar("T")


class Disagreement(AssertionError):
    """The service did what the model says cannot be."""


def agreed(condition: object, what: str) -> None:
    if not condition:
        raise Disagreement(what)


class Refused(Exception):
    """The model refuses; any of these reasons may be told. `current` is the status that the refusal must name."""

    def __init__(self, *reasons: str, current: str = "") -> None:
        super().__init__(*reasons)
        self.reasons = set(reasons)
        self.current = current


@dataclass(frozen=True)
class Seen:
    """An answer of the service: the reason of its error, or the fields of its answer. `also` is what was looked up
    beside it."""

    error: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    also: Any = None

    @classmethod
    def refusal(cls, error: PrsmError) -> Seen:
        """A named error; of its details only the status that it names."""
        named = error.details is not None and "status" in error.details
        return cls(error.name, {"status": error.details["status"]} if named and error.details else {})


class Command(ABC, Generic[W]):
    """Something to do."""

    felt: ClassVar[bool] = True
    """Whether the service takes notice at once."""

    @abstractmethod
    def expect(self, world: W, seen: Seen) -> dict[str, Any]:
        """Do it to the model's world. The fields of the answer; raises Refused. `seen` may be looked at where the model
        leaves something open."""

    def judge(self, world: W, seen: Seen) -> None:
        """Do it to the world. Raises Disagreement when the service answered anything else."""
        try:
            fields = self.expect(world, seen)
        except Refused as refused:
            agreed(seen.error in refused.reasons, f"{self}: expected {refused.reasons}, got {seen}")
            if refused.current:
                agreed(seen.fields == {"status": refused.current}, f"{self}: expected {refused.current}, got {seen}")
            return
        if seen.error or seen.fields != fields:
            raise Disagreement(f"{self}: expected {fields}, got {seen}")


def explained(world: W, commands: Sequence[Command[W]], seen: Sequence[Seen], agree: Callable[[W], None]) -> W:
    """The world after commands that were sent at once: one order of them must give what was answered, and what `agree`
    finds. Raises Disagreement when none does."""
    if len(commands) == 1:
        commands[0].judge(world, seen[0])
        agree(world)
        return world
    problems = []
    for order in permutations(range(len(commands))):
        after = deepcopy(world)
        try:
            for number in order:
                commands[number].judge(after, seen[number])
            agree(after)
        except Disagreement as problem:
            problems.append(f"{order}: {problem}")
        else:
            return after
    raise Disagreement("no order explains it:\n" + "\n".join(problems))


class Loop:
    """The event loop that the service lives on, for a machine that runs in a thread of its own. Make it on the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
