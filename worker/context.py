"""The runner's side of a stage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from worker.attempt import Attempt
from worker.engines.base import JSON, Job, Kept, LanguageModel, Sources
from worker.model import Decision
from worker.ports import OpenModel
from worker.quantities import TOKENS_IN, TOKENS_OUT

T = TypeVar("T")
NO_MODEL = "none"
"""What `preferences.model` says of a session that goes without."""


class RunningStage:
    """A StageContext over an attempt; what it is told, the heartbeat passes on."""

    def __init__(
        self, attempt: Attempt, sources: Sources, finished: dict[str, JSON], models: OpenModel | None = None
    ) -> None:
        """`finished` are the outputs of stages; whoever runs the stages adds to them."""
        self.job: Job = attempt.claim.job
        self.sources = sources
        self._attempt = attempt
        self.finished = finished
        self._models = models

    @property
    def outputs(self) -> Mapping[str, JSON]:
        return self.finished

    @property
    def write_up(self) -> bool:
        return self._attempt.write_up

    @property
    def model(self) -> LanguageModel | None:
        """The session's prices decide as well: one that was estimated without a model has none for tokens."""
        stage, preferences = self._attempt.stage, self.job.preferences
        if self._models is None or preferences.get("model") == NO_MODEL:
            return None
        if not stage.allowance.sells(TOKENS_IN, TOKENS_OUT):
            return None
        seed = int(preferences.get("seed") or 0)
        return self._models(
            allowance=stage.allowance, usage=stage.usage, use=self.use, late=lambda: self.write_up, seed=seed
        )

    async def step(self, done: float, total: float) -> None:
        """Progress never goes back inside a stage."""
        share = min(1.0, max(0.0, done / total)) if total > 0 else 1.0
        self._attempt.stage.done = max(self._attempt.stage.done, share)
        await asyncio.sleep(0)

    def use(self, item: str, quantity: int) -> None:
        """Raises ValueError for a negative quantity."""
        if quantity < 0:
            raise ValueError("usage only grows")
        usage = self._attempt.stage.usage
        usage[item] = usage.get(item, 0) + quantity

    def decide(
        self,
        decision: str,
        reason: str,
        *,
        alternatives: Sequence[str] = (),
        excluded: Sequence[Mapping[str, JSON]] = (),
    ) -> None:
        self._attempt.stage.decisions.append(Decision(decision, reason, tuple(alternatives), tuple(excluded)))

    async def run(self, fn: Callable[..., T], *args: object) -> T:
        return await self._attempt.computer.run(fn, *args)

    async def keep(self, fn: Callable[..., object], *args: object) -> Kept:
        return await self._attempt.computer.keep(fn, *args)


class Aside:
    """A StageContext for what is written beside the work: nothing that it does is counted, told or charged."""

    model: LanguageModel | None = None
    write_up = True

    def __init__(self, stage: RunningStage, outputs: Mapping[str, JSON]) -> None:
        self.job = stage.job
        self.sources = stage.sources
        self.outputs = outputs
        self.run = stage.run
        self.keep = stage.keep

    async def step(self, done: float, total: float) -> None:
        await asyncio.sleep(0)

    def use(self, item: str, quantity: int) -> None:
        """Nothing is used."""

    def decide(
        self,
        decision: str,
        reason: str,
        *,
        alternatives: Sequence[str] = (),
        excluded: Sequence[Mapping[str, JSON]] = (),
    ) -> None:
        """Nothing is decided."""
