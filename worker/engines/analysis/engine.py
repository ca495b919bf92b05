"""The analysis engine: datasets and a question in, statistics, figures and findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from worker.engines.analysis.errors import NO_DATASET, TOO_LARGE, AnalysisError
from worker.engines.base import JSON, Job, Kept, StageContext, StageSpec

if TYPE_CHECKING:
    from worker.engines.analysis.options import AnalysisOptions
    from worker.engines.analysis.planning import Planned
    from worker.engines.analysis.reading.notes import ReadResult

_DESCRIPTIVE = frozenset({"profile", "describe"})
LIBRARIES = (
    "formulaic",
    "scipy.linalg",
    "scipy.optimize",
    "scipy.special",
    "scipy.stats",
    "worker.engines.analysis.compute",
    "worker.engines.analysis.conclusions",
    "worker.engines.analysis.loading",
    "worker.engines.analysis.reading.bulk",
    "worker.engines.analysis.reproduction.recipe",
)
"""What computing processes load beforehand."""


def seed_of(preferences: Mapping[str, Any]) -> int:
    """The session's seed; 0 when none is given."""
    seed = preferences.get("seed")
    return int(seed) if isinstance(seed, int | float) and not isinstance(seed, bool) and seed >= 0 else 0


class AnalysisEngine:
    """Stages: load → profile → model → findings → write. Every stage reads the datasets anew where it needs
    them, so a checkpoint holds results only and a stage begun again comes to the same output."""

    name = "analysis"
    session_types = frozenset({"analysis"})
    pausable = True
    libraries = LIBRARIES

    def stages(self, job: Job) -> Sequence[StageSpec]:
        return (
            StageSpec("load", 2.0),
            StageSpec("profile", 2.0),
            StageSpec("model", 4.0),
            StageSpec("findings", 1.0),
            StageSpec("write", 1.0),
        )

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        match stage:
            case "load":
                return await self._load(ctx)
            case "profile":
                return await self._compute(ctx, descriptive=True)
            case "model":
                return await self._compute(ctx, descriptive=False)
            case "findings":
                return await self._findings(ctx)
            case "write":
                return await self._write(ctx)
        raise ValueError(f"the analysis engine has no stage {stage!r}")

    async def so_far(self, ctx: StageContext) -> JSON | None:
        """What is computed; tasks that are still to come are said to be left out."""
        from worker.engines.analysis.conclusions import find
        from worker.engines.analysis.loading import planned_tasks

        if "profile" not in ctx.outputs or "findings" in ctx.outputs:
            return None
        loaded = ctx.outputs["load"]
        results = {**ctx.outputs["profile"]["results"], **ctx.outputs.get("model", {}).get("results", {})}
        for place, planned in enumerate(planned_tasks(loaded)):
            if str(place) not in results:
                name = loaded["datasets"][planned.dataset]["name"]
                results[str(place)] = await ctx.run(_skipped, name, planned)
        computed = [results[place] for place in sorted(results, key=int)]
        findings = await ctx.run(find, computed, loaded)
        return await ctx.run(_document, loaded, computed, findings, ctx.job.prompt, seed_of(ctx.job.preferences), True)

    async def _load(self, ctx: StageContext) -> JSON:
        from worker.engines.analysis.loading import load

        if not ctx.job.datasets:
            raise AnalysisError(NO_DATASET, "an analysis needs a dataset")
        options = _options(ctx.job)
        read: list[Kept] = []
        recipes: list[JSON] = []
        taken: list[str] = []
        for number in range(len(ctx.job.datasets)):
            result = await _read(ctx, number, options, taken=taken)
            name, rows = await ctx.run(_size, result)
            _, path = await ctx.sources.dataset_file(ctx.job.datasets[number])
            recipes.append(await ctx.run(_recipe, path, result, options))
            ctx.use("row_read", rows)
            read.append(result)
            taken.append(name)
            await ctx.step(number + 1, len(ctx.job.datasets) + 1)
        loaded = await ctx.run(load, read, ctx.job.prompt, options, seed_of(ctx.job.preferences))
        loaded["recipes"] = recipes
        for decision in loaded["decisions"]:
            ctx.decide(
                decision["decision"],
                decision["reason"],
                alternatives=decision["alternatives"],
                excluded=decision["excluded"],
            )
        await ctx.step(1, 1)
        return loaded

    async def _compute(self, ctx: StageContext, *, descriptive: bool) -> JSON:
        """Results of the planned tasks of one sort, by their place in the plan."""
        from worker.engines.analysis.loading import planned_tasks

        loaded = ctx.outputs["load"]
        options = _options(ctx.job)
        chosen = [
            (place, planned)
            for place, planned in enumerate(planned_tasks(loaded))
            if (planned.task.kind in _DESCRIPTIVE) == descriptive
        ]
        results: dict[str, JSON] = {}
        tables: dict[int, Kept] = {}
        partial = False
        for done, (place, planned) in enumerate(chosen):
            if ctx.write_up:
                partial = True
                name = loaded["datasets"][planned.dataset]["name"]
                results[str(place)] = await ctx.run(_skipped, name, planned)
                continue
            if planned.dataset not in tables:
                names = [dataset["name"] for dataset in loaded["datasets"][: planned.dataset]]
                tables[planned.dataset] = await _read(ctx, planned.dataset, options, taken=names)
            try:
                results[str(place)] = await ctx.run(_result, tables[planned.dataset], planned)
            except MemoryError:
                raise _too_large(loaded["datasets"][planned.dataset]["name"]) from None
            await ctx.step(done + 1, len(chosen))
        return {"results": results, "partial": partial}

    async def _findings(self, ctx: StageContext) -> JSON:
        from worker.engines.analysis.conclusions import find

        computed, _ = _computed(ctx.outputs)
        findings = await ctx.run(find, computed, ctx.outputs["load"])
        await ctx.step(1, 1)
        return {"findings": findings}

    async def _write(self, ctx: StageContext) -> JSON:
        computed, partial = _computed(ctx.outputs)
        findings = ctx.outputs["findings"]["findings"]
        seed = seed_of(ctx.job.preferences)
        written = await ctx.run(_document, ctx.outputs["load"], computed, findings, ctx.job.prompt, seed, partial)
        await ctx.step(1, 1)
        return written


def _options(job: Job) -> AnalysisOptions:
    from worker.engines.analysis.options import parse_options

    return parse_options(job.preferences.get("analysis"))


async def _read(ctx: StageContext, number: int, options: AnalysisOptions, *, taken: Sequence[str]) -> Kept:
    """The dataset at that place, kept where it was read: a large table would take long to travel. Results speak of
    datasets by name, so one whose name is `taken` gets a number."""
    from worker.engines.analysis.reading.bulk import read_file

    name, path = await ctx.sources.dataset_file(ctx.job.datasets[number])
    name = f"{name} ({number + 1})" if name in taken else name
    try:
        return await ctx.keep(read_file, name, path, options.read)
    except MemoryError:
        raise _too_large(name) from None


def _too_large(name: str) -> AnalysisError:
    return AnalysisError(
        TOO_LARGE,
        f"{name} needs more memory than one session may use: leave out columns or rows that the question does not "
        "need, or have the operator raise PRSM_WORKER_MEMORY_MB",
    )


# What runs in a computing process imports there: the worker itself has no need of the numeric libraries.


def _size(read: ReadResult) -> tuple[str, int]:
    return read.table.name, read.table.rows


def _recipe(path: str, read: ReadResult, options: AnalysisOptions) -> JSON:
    from worker.engines.analysis.reproduction.recipe import recipe_of_file

    return recipe_of_file(path, read, options.read)


def _result(read: ReadResult, planned: Planned) -> JSON:
    from worker.engines.analysis.compute import compute

    return compute(read.table, planned)


def _skipped(dataset: str, planned: Planned) -> JSON:
    from worker.engines.analysis.compute import without_result

    return without_result(dataset, planned, "skipped", "time or budget was nearly spent")


def _document(loaded: JSON, computed: list[JSON], findings: list[JSON], prompt: str, seed: int, partial: bool) -> JSON:
    from worker.engines.analysis.conclusions import document

    return document(loaded, computed, findings, prompt, seed=seed, partial=partial)


def _computed(outputs: Mapping[str, JSON]) -> tuple[list[JSON], bool]:
    """All results in the order of the plan, and whether any was skipped."""
    merged = {**outputs["profile"]["results"], **outputs["model"]["results"]}
    partial = bool(outputs["profile"]["partial"] or outputs["model"]["partial"])
    return [merged[place] for place in sorted(merged, key=int)], partial


def analyse_dataset(name: str, path: str, prompt: str, options: Mapping[str, Any], *, seed: int) -> dict[str, JSON]:
    """Analyse one dataset, in a file, as part of another session; the same code as the engine's, at one go.

    `options` is what `preferences.analysis` takes. Returns ``{tables, figures, analysis, key_findings, sections,
    decisions}`` in the result document's shapes, and `left_out`, a sentence on rows not used or "". Raises
    :class:`AnalysisError` for unusable data or options.
    """
    from worker.engines.analysis.compute import compute
    from worker.engines.analysis.conclusions import figures_in_order, find, left_out, sections, shown
    from worker.engines.analysis.loading import load, planned_tasks
    from worker.engines.analysis.options import parse_options
    from worker.engines.analysis.reading.bulk import read_file

    parsed = parse_options(options)
    read = read_file(name, path, parsed.read)
    loaded = load([read], prompt, parsed, seed)
    computed = [compute(read.table, planned) for planned in planned_tasks(loaded)]
    findings = find(computed, loaded)
    return {
        "tables": [item["table"] for item in computed if item["table"] is not None],
        "figures": figures_in_order(computed, findings),
        "analysis": [shown(item) for item in computed],
        "key_findings": findings,
        "sections": sections(findings, computed, loaded, partial=False),
        "decisions": loaded["decisions"],
        "left_out": left_out(loaded["datasets"][0]),
    }
