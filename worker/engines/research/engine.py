"""The research engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from worker.engines.analysis.engine import LIBRARIES
from worker.engines.base import JSON, Job, StageContext, StageSpec
from worker.engines.research import datasets, gather, plan, read, screen, synthesise, verify, write

_Run = Callable[[StageContext], Awaitable[JSON]]


class ResearchEngine:
    """Answers a prompt from documents: plan, gather, screen, read, synthesise, verify, write.

    Extractive and deterministic: what it says on the subject are sentences of the sources, and the same inputs give the
    same result document, byte for byte. With datasets there is one more stage, *analyse*.
    """

    name = "research"
    session_types = frozenset({"research"})
    pausable = True
    libraries = LIBRARIES

    _STAGES: Mapping[str, tuple[float, _Run]] = {
        "plan": (1, plan.run),
        "gather": (20, gather.run),
        "screen": (4, screen.run),
        "read": (45, read.run),
        "synthesise": (10, synthesise.run),
        "verify": (15, verify.run),
        "analyse": (30, datasets.run),
        "write": (5, write.run),
    }

    def stages(self, job: Job) -> Sequence[StageSpec]:
        """The stages in order; *analyse* only when the job names datasets."""
        return [
            StageSpec(name, weight) for name, (weight, _) in self._STAGES.items() if name != "analyse" or job.datasets
        ]

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        """Run one stage.

        Raises:
            EngineError: `no_usable_source` when no source holds anything to work on.
        """
        return await self._STAGES[stage][1](ctx)

    async def so_far(self, ctx: StageContext) -> JSON | None:
        """What is verified, once it is: datasets and a language model may take their time after that."""
        done = ctx.outputs
        return write.so_far(ctx) if "verify" in done and "analyse" not in done else None
