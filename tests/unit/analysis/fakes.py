"""A runner's side of the engine for tests: datasets in memory, everything that is reported is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.support.datasets import DatasetFiles
from worker.engines.analysis.engine import AnalysisEngine
from worker.engines.base import DocumentRecord, GatheredWorks, Hit, Job, Kept, LanguageModel, Sources

T = TypeVar("T")


@dataclass
class MemorySources:
    """Datasets by id; an analysis reads nothing else."""

    datasets: Mapping[str, tuple[str, bytes]]
    files: DatasetFiles = field(default_factory=DatasetFiles)

    async def dataset(self, document_id: str) -> tuple[str, bytes]:
        return self.datasets[document_id]

    async def dataset_file(self, document_id: str) -> tuple[str, str]:
        name, data = self.datasets[document_id]
        return name, self.files.put(document_id, data)

    async def search(
        self, query: str, *, limit: int, document_ids: Sequence[str] = (), passages: bool = True
    ) -> list[Hit]:
        return []

    async def documents(self, document_ids: Sequence[str] = ()) -> list[DocumentRecord]:
        return []

    async def gather_works(
        self, query: str, *, connectors: Sequence[str], limit_each: int, full_text: bool
    ) -> GatheredWorks:
        raise KeyError(query)

    async def text(self, document_id: str) -> str:
        raise KeyError(document_id)

    async def session_results(self, session_id: str) -> dict[str, Any]:
        raise KeyError(session_id)


@dataclass
class RecordingContext:
    """Keeps usage, decisions and progress. `write_up_after` steps, `write_up` turns true."""

    job: Job
    sources: Sources
    outputs: dict[str, Any] = field(default_factory=dict)
    write_up_after: int | None = None
    usage: dict[str, int] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    model: LanguageModel | None = None

    @property
    def write_up(self) -> bool:
        return self.write_up_after is not None and len(self.steps) >= self.write_up_after

    async def step(self, done: float, total: float) -> None:
        self.steps.append((done, total))

    def use(self, item: str, quantity: int) -> None:
        self.usage[item] = self.usage.get(item, 0) + quantity

    def decide(
        self,
        decision: str,
        reason: str,
        *,
        alternatives: Sequence[str] = (),
        excluded: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.decisions.append(
            {"decision": decision, "reason": reason, "alternatives": list(alternatives), "excluded": list(excluded)}
        )

    async def run(self, fn: Callable[..., T], *args: object) -> T:
        return fn(*args)

    async def keep(self, fn: Callable[..., object], *args: object) -> Kept:
        return fn(*args)


def context(
    *datasets: tuple[str, str | bytes],
    prompt: str = "What stands out?",
    write_up_after: int | None = None,
    **preferences: Any,
) -> RecordingContext:
    """A context for a session over the (name, content) pairs given."""
    stored = {
        f"d{i}": (name, content.encode() if isinstance(content, str) else content)
        for i, (name, content) in enumerate(datasets)
    }
    job = Job("s", "analysis", prompt, datasets=tuple(stored), preferences=preferences)
    return RecordingContext(job, MemorySources(stored), write_up_after=write_up_after)


async def run_session(ctx: RecordingContext) -> dict[str, Any]:
    """All stages in order; the result document."""
    engine = AnalysisEngine()
    output: Any = None
    for stage in engine.stages(ctx.job):
        output = await engine.run_stage(stage.name, ctx)
        ctx.outputs[stage.name] = output
    return dict(output)
