"""The synthesis engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from worker.engines.base import JSON, Job, StageContext, StageSpec
from worker.engines.synthesis import bridges, collect, merge, write

_Run = Callable[[StageContext], Awaitable[JSON]]


class SynthesisEngine:
    """Merges what two or more completed sessions found, of whatever type: collect, merge, bridge, write.

    It adds no statement of its own. The same sessions give the same result document, byte for byte.
    """

    name = "synthesis"
    session_types = frozenset({"synthesis"})
    pausable = True

    _STAGES: Mapping[str, tuple[float, _Run]] = {
        "collect": (30, collect.run),
        "merge": (40, merge.run),
        "bridge": (20, bridges.run),
        "write": (10, write.run),
    }

    def stages(self, job: Job) -> Sequence[StageSpec]:
        """The stages in order."""
        return [StageSpec(name, weight) for name, (weight, _) in self._STAGES.items()]

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        """Run one stage.

        Raises:
            EngineError: `no_usable_source` when fewer than two different sessions are given.
        """
        return await self._STAGES[stage][1](ctx)

    async def so_far(self, ctx: StageContext) -> JSON | None:
        """What is merged, before what connects it is looked for."""
        done = ctx.outputs
        return await write.so_far(ctx) if "merge" in done and "bridge" not in done else None
