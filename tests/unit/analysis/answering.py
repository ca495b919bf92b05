"""From a table and a prompt to the answer, without figures and stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.engines.analysis.compute import without_result
from worker.engines.analysis.conclusions import find
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.loading import load
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.planning import Planned, make_plan
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.sections import answer_of
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.registry import run_task

_COSTLY = frozenset({"profile", "cluster", "anomalies", "compare_models", "distribution", "pca"})


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a question: the kinds of tasks, the `answer` and the key findings."""

    kinds: tuple[str, ...]
    answer: Mapping[str, Any]
    findings: tuple[Mapping[str, Any], ...]


def ask(table: Table, prompt: str, **options: Any) -> Answered:
    """The answer to `prompt`. Costly tasks are planned but not run; no question of these tests is answered by one."""
    return answer_to(ReadResult(table, (), ()), prompt, **options)


def answer_to(read: ReadResult, prompt: str, /, **options: Any) -> Answered:
    """The answer to `prompt` from what was read; see :func:`ask`."""
    table = read.table
    loaded = load([read], prompt, parse_options(options), 0)
    plan = make_plan([table], prompt, parse_options(options), 0)
    computed = [_computed(table, planned) for planned in plan.tasks if planned.task.kind not in _COSTLY]
    findings = find(computed, loaded)
    kinds = tuple(planned.task.kind for planned in plan.tasks)
    return Answered(kinds, answer_of(findings, computed, loaded), tuple(findings))


def _computed(table: Table, planned: Planned) -> dict[str, Any]:
    if planned.unfit:
        return dict(without_result(table.name, planned, "not_possible", planned.unfit))
    try:
        result = run_task(table, planned.task)
    except NotPossible as reason:
        return dict(without_result(table.name, planned, "not_possible", str(reason)))
    entry = {"kind": planned.task.kind, "dataset": table.name, "request": {}, "asked": planned.asked}
    return {"entry": {**entry, "why": planned.why, "result": result}, "table": None, "figures": []}
