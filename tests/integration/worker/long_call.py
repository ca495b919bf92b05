"""A worker with two engines that do not stop by themselves: `python -m tests.integration.worker.long_call`."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Sequence

from worker import __main__
from worker.engines import registry
from worker.engines.base import JSON, Job, StageContext, StageSpec


class LongCall:
    """Its one stage is one call into C that takes longer than any test."""

    name = "long"
    session_types = frozenset({"research"})
    pausable = True

    def stages(self, job: Job) -> Sequence[StageSpec]:
        return [StageSpec("work")]

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        return await ctx.run(operator.pow, 7, 10**9)


class Stubborn(LongCall):
    """Its stage does not let itself be cancelled."""

    name = "stubborn"

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


if __name__ == "__main__":
    registry.BUILT_IN = {**registry.BUILT_IN, "long": LongCall, "stubborn": Stubborn}
    __main__.main()
