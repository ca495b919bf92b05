"""Every interleaving of a few coroutines, one step at a time: a small explicit-state exploration of real code.

What the coroutines await are gates: each parks its coroutine until the explorer opens it, and behind it the step is
taken whole. The explorer goes through all orders of steps. An order that leads to a state seen before is not followed
further: a state is what is stored, and what each coroutine was answered so far, which is all that it knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
_ACTOR: ContextVar[str] = ContextVar("actor")


@dataclass(eq=False)
class _Parked:
    actor: str
    label: str
    opened: asyncio.Future[None]
    taken: bool = False


class Gates:
    """Where coroutines wait for their next step, and what they were answered. Outside of an actor there are none."""

    def __init__(self, brief: Callable[[object], Hashable]) -> None:
        """`brief` tells of an answer what matters."""
        self.parked: list[_Parked] = []
        self.answers: dict[str, list[Hashable]] = {}
        self._brief = brief

    async def step(self, label: str, take: Callable[[], T]) -> T:
        """Wait for this step's turn and take it."""
        actor = _ACTOR.get("")
        if not actor:
            return take()
        here = _Parked(actor, label, asyncio.get_running_loop().create_future())
        self.parked.append(here)
        await here.opened
        here.taken = True
        heard = self.answers.setdefault(actor, [])
        try:
            value = take()
        except Exception as error:
            heard.append((label, getattr(error, "name", type(error).__name__)))
            raise
        heard.append((label, self._brief(value)))
        return value


class World(Protocol):
    """What the coroutines act upon; new for each run."""

    gates: Gates

    def actors(self) -> Mapping[str, Coroutine[Any, Any, Any]]: ...

    def state(self) -> Hashable:
        """What is stored."""
        ...

    def check(self) -> Awaitable[None]:
        """Raises AssertionError where what is stored now is wrong, or could not be mended any more."""
        ...

    def check_end(self, outcomes: Mapping[str, object]) -> None:
        """The same, when everybody has ended, for what they were told: a value or an exception."""
        ...

    def close(self) -> None: ...


@dataclass
class Explored:
    """`runs` were made through `steps` steps; `orders` of them went to their end without meeting a known state."""

    states: int = 0
    steps: int = 0
    runs: int = 0
    ends: set[tuple[str, ...]] = field(default_factory=set)


class Violation(AssertionError):
    """An invariant does not hold; the text tells the order of steps that led there."""


async def explore(make: Callable[[], World]) -> Explored:
    """Go through every order of steps. Raises Violation."""
    explored = Explored()
    seen: set[Hashable] = set()
    # Orders that lead to a state with steps left, as positions among the gates that were parked then.
    frontier: list[tuple[int, ...]] = [()]
    while frontier:
        run = _Run(make(), explored)
        explored.runs += 1
        try:
            frontier.extend(await run.follow(frontier.pop(), seen))
        finally:
            await run.end()
    return explored


class _Run:
    def __init__(self, world: World, explored: Explored) -> None:
        self._world = world
        self._explored = explored
        self._told: list[str] = []
        self._tasks = {name: self._begin(name, actor) for name, actor in world.actors().items()}

    @staticmethod
    def _begin(name: str, actor: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        async def act() -> Any:
            _ACTOR.set(name)
            return await actor

        return asyncio.create_task(act(), name=name)

    async def follow(self, order: tuple[int, ...], seen: set[Hashable]) -> list[tuple[int, ...]]:
        """Take the steps of an order, then always the first that is possible; the other orders that were met."""
        await self._settled()
        for choice in order:
            await self._take(choice)
        others: list[tuple[int, ...]] = []
        while True:
            gates = self._world.gates
            key = (self._world.state(), *sorted((a, tuple(t)) for a, t in gates.answers.items()))
            if key in seen:
                return others
            seen.add(key)
            self._explored.states += 1
            try:
                await self._world.check()
                if not gates.parked:
                    self._ended()
                    return others
            except AssertionError as error:
                raise Violation(f"{error}\n after: " + "\n        ".join(self._told)) from error
            others.extend((*order, n) for n in range(1, len(gates.parked)))
            order = (*order, 0)
            await self._take(0)

    async def _take(self, choice: int) -> None:
        gates = self._world.gates
        gates.parked.sort(key=lambda parked: (parked.actor, parked.label))
        here = gates.parked.pop(choice)
        self._told.append(f"{here.actor}: {here.label}")
        self._explored.steps += 1
        here.opened.set_result(None)
        # Behind a gate a coroutine goes on to its next one at once, so an actor of several coroutines is there too.
        await self._until(lambda: here.taken)
        await self._settled()
        answers = gates.answers.get(here.actor)
        if answers:
            self._told[-1] = f"{here.actor}: {answers[-1]}"

    async def _settled(self) -> None:
        """Until everybody waits at a gate or has ended."""

        def settled() -> bool:
            at_gates = {parked.actor for parked in self._world.gates.parked}
            return all(task.done() or name in at_gates for name, task in self._tasks.items())

        await self._until(settled)

    async def _until(self, reached: Callable[[], bool]) -> None:
        for _ in range(1000):
            if reached():
                return
            await asyncio.sleep(0)
        raise AssertionError("nobody moves on, and nobody waits at a gate")

    def _ended(self) -> None:
        outcomes = {name: task.exception() or task.result() for name, task in self._tasks.items()}
        self._explored.ends.add(tuple(f"{name} {_short(outcome)}" for name, outcome in sorted(outcomes.items())))
        self._world.check_end(outcomes)

    async def end(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._world.close()


def _short(outcome: object) -> str:
    return getattr(outcome, "name", type(outcome).__name__)
