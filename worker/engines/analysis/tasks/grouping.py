"""What `anova` and `compare_groups` share: groups of values, and the checks of assumptions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.numerics.groups import brown_forsythe
from worker.engines.analysis.numerics.sums import summarise
from worker.engines.analysis.packed import PackedNumbers, floats_of
from worker.engines.analysis.table import Column, Table, complete_rows
from worker.engines.analysis.tasks.task import Result, Task

MAX_GROUPS = 200
UNEQUAL = 0.05
SMALL_GROUP = 5
_SHAPIRO_MOST = 5_000


Groups = dict[str, Sequence[str | None]]


def groups_of(table: Table, task: Task) -> tuple[Column, Column, Groups]:
    """Response, group column, and the response's cells by level, over rows that have both."""
    response = task.column("response", table, numeric=True)
    group = task.column("group", table)
    if response.name == group.name:
        raise task.fault("group", "must be another column than the response")
    if group.distinct > MAX_GROUPS:
        raise task.fault(
            "group", f"column {group.name!r} has {group.distinct} levels, at most {MAX_GROUPS} can be compared"
        )
    groups = _split(response, group)
    if len(groups) < 2:
        raise NotPossible(f"Column {group.name} has fewer than two levels with values of {response.name}.")
    if sum(map(len, groups.values())) <= len(groups):
        raise NotPossible(
            f"Every level of {group.name} has one value of {response.name} only; nothing shows the scatter."
        )
    return response, group, groups


def _split(response: Column, group: Column) -> Groups:
    """The response's cells by level, in file order, without levels that have none."""
    codes, levels = group.codes()
    rows = complete_rows([response, group])
    # A stable sort keeps the file's order within a level.
    rows = rows[np.argsort(codes[rows], kind="stable")]
    ends = np.cumsum(np.bincount(codes[rows], minlength=len(levels)))
    groups: Groups = {}
    if not levels:
        return groups
    for level, members in zip(levels, np.split(rows, ends[:-1]), strict=True):
        if not len(members):
            continue
        if isinstance(response.cells, PackedNumbers):
            groups[level] = PackedNumbers(response.cells.values[members])
        else:
            groups[level] = [response.cells[i] for i in members.tolist()]
    return groups


def describe_group(level: str, cells: Sequence[str | None]) -> Result:
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


def check_assumptions(groups: Groups) -> Result:
    """Equal spreads (Brown–Forsythe) and normal residuals (Shapiro–Wilk, up to 5,000 values; each group's in units of
    its own spread where the spreads differ)."""
    spread = brown_forsythe(groups)
    arrays = [floats_of(cells) for cells in groups.values()]
    # Groups that scatter differently make a mixture, which is not normal however normal each group is.
    even = spread is None or spread[1] >= UNEQUAL
    residuals = np.concatenate([_residuals(values, scaled=not even) for values in arrays])
    normal: Result | None = None
    if 3 <= len(residuals) <= _SHAPIRO_MOST and residuals.max() > residuals.min():
        test = load("scipy.stats").shapiro(residuals)
        normal = {"test": "shapiro_wilk", "statistic": float(test.statistic), "p": float(test.pvalue)}
    return {
        "equal_spread": None if spread is None else {"test": "brown_forsythe", "statistic": spread[0], "p": spread[1]},
        "normal_residuals": normal,
    }


def _residuals(values: npt.NDArray[np.float64], *, scaled: bool) -> npt.NDArray[np.float64]:
    centred = values - values.mean()
    spread = float(centred.std()) if scaled and len(values) > 2 else 0.0
    return np.asarray(centred / spread if spread > 0 else centred, dtype=np.float64)


def violated(assumptions: Result, name: str) -> bool:
    check = assumptions[name]
    return check is not None and check["p"] < UNEQUAL
