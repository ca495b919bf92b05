"""Which kinds of tasks there are, what each takes, and the module that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from worker.engines.analysis.errors import invalid
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.conditions import part_of
from worker.engines.analysis.tasks.task import Result, Task


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of task. The module has ``run(table, task) -> Result``; its import may be costly."""

    module: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        return self.required + self.optional


KINDS: Mapping[str, Kind] = {
    "profile": Kind("profile", optional=("columns",)),
    "describe": Kind("describe", optional=("columns",)),
    "distribution": Kind("distribution", optional=("columns",)),
    "outliers": Kind("outliers", optional=("columns",)),
    "correlation": Kind("correlation", optional=("columns", "control")),
    "regression": Kind("regression", required=("formula",), optional=("family", "offset", "event")),
    "anova": Kind("anova", required=("response", "group")),
    "compare_groups": Kind("compare_groups", required=("response", "group"), optional=("pair",)),
    "contingency": Kind("contingency", required=("row", "column")),
    "trend": Kind("trend", required=("response",), optional=("time", "period")),
    "hypotheses": Kind("hypotheses", optional=("hypotheses", "adjustment", "holdout")),
    "aggregate": Kind("aggregate", optional=("statistic", "column", "by", "where", "level", "extreme", "period")),
    "one_sample": Kind("one_sample", required=("column", "value")),
    "curve_fit": Kind("curve_fit", required=("response", "formula"), optional=("start",)),
    "cluster": Kind("cluster", optional=("columns", "k", "method", "standardise")),
    "pca": Kind("pca", optional=("columns", "standardise")),
    "anomalies": Kind("anomalies", optional=("columns", "time", "share")),
    "compare_models": Kind(
        "compare_models", required=("response",), optional=("formulas", "features", "folds", "family")
    ),
}


def check_task(raw: Mapping[str, Any], path: str, seed: int) -> Task:
    """A task whose kind and fields exist. Raises :class:`AnalysisError` naming the field."""
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        shown = "must be given" if kind is None else f"{kind!r} is not offered"
        raise invalid(f"{path}.kind", f"{shown}; the kinds are {', '.join(KINDS)}")
    for field in raw:
        if field not in ("kind", "dataset", *KINDS[kind].fields):
            taken = ", ".join(("dataset", *KINDS[kind].fields))
            raise invalid(f"{path}.{field}", f"unknown field; {kind} takes {taken}")
    for field in KINDS[kind].required:
        if raw.get(field) is None:
            raise invalid(f"{path}.{field}", f"{kind} needs it")
    return Task(kind, {name: value for name, value in raw.items() if name not in ("kind", "dataset")}, path, seed)


def run_task(table: Table, task: Task) -> Result:
    """Compute `task` on `table`.

    Raises :class:`AnalysisError` for arguments that do not fit the table and :class:`NotPossible` when the
    data cannot answer.
    """
    module = import_module(f"worker.engines.analysis.tasks.{KINDS[task.kind].module}")
    run: Callable[[Table, Task], Result] = module.run
    if task.kind == "aggregate" or not task.arguments.get("where"):
        return run(table, task)
    part, rest, told = part_of(table, task)
    return run(part, rest) | {"kept": told}
