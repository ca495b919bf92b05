"""What `anova` and `compare_groups` share: groups of values, and the checks of assumptions."""

from __future__ import annotations

import math

import numpy as np

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.numerics.groups import brown_forsythe
from worker.engines.analysis.numerics.sums import summarise
from worker.engines.analysis.table import Column, Table, complete_rows
from worker.engines.analysis.tasks.task import Result, Task

MAX_GROUPS = 200
UNEQUAL = 0.05
SMALL_GROUP = 5
_SHAPIRO_MOST = 5_000


def groups_of(table: Table, task: Task) -> tuple[Column, Column, dict[str, list[str]]]:
    """Response, group column, and the response's cells by level, over rows that have both."""
    response = task.column("response", table, numeric=True)
    group = task.column("group", table)
    if response.name == group.name:
        raise task.fault("group", "must be another column than the response")
    levels = group.levels()
    if len(levels) > MAX_GROUPS:
        raise task.fault(
            "group", f"column {group.name!r} has {len(levels)} levels, at most {MAX_GROUPS} can be compared"
        )
    groups: dict[str, list[str]] = {level: [] for level in levels}
    for i in complete_rows([response, group]):
        groups[str(group.cells[i])].append(str(response.cells[i]))
    groups = {level: cells for level, cells in groups.items() if cells}
    if len(groups) < 2:
        raise NotPossible(f"Column {group.name} has fewer than two levels with values of {response.name}.")
    if sum(map(len, groups.values())) <= len(groups):
        raise NotPossible(
            f"Every level of {group.name} has one value of {response.name} only; nothing shows the scatter."
        )
    return response, group, groups


def describe_group(level: str, cells: list[str]) -> Result:
    """Size, mean with its 95 % interval, standard deviation and median of one group."""
    summary = summarise(cells)
    low = high = None
    if summary.sd is not None:
        half = t_quantile(0.975, summary.n - 1) * summary.sd / math.sqrt(summary.n)
        low, high = summary.mean - half, summary.mean + half
    return {
        "level": level,
        "n": summary.n,
        "mean": summary.mean,
        "ci_low": low,
        "ci_high": high,
        "sd": summary.sd,
        "median": summary.quantiles[2],
    }


def check_assumptions(groups: dict[str, list[str]]) -> Result:
    """Equal spreads (Brown–Forsythe) and normal residuals (Shapiro–Wilk, up to 5,000 values)."""
    spread = brown_forsythe(groups)
    residuals: list[float] = []
    for cells in groups.values():
        values = np.array([float(cell) for cell in cells])
        residuals.extend((values - values.mean()).tolist())
    normal: Result | None = None
    if 3 <= len(residuals) <= _SHAPIRO_MOST and max(residuals) > min(residuals):
        test = load("scipy.stats").shapiro(residuals)
        normal = {"test": "shapiro_wilk", "statistic": float(test.statistic), "p": float(test.pvalue)}
    return {
        "equal_spread": None if spread is None else {"test": "brown_forsythe", "statistic": spread[0], "p": spread[1]},
        "normal_residuals": normal,
    }


def violated(assumptions: Result, name: str) -> bool:
    check = assumptions[name]
    return check is not None and check["p"] < UNEQUAL
