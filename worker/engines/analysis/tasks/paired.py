"""`compare_groups` where the same subjects were measured at every level."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal, localcontext
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.distributions import f_upper, holm
from worker.engines.analysis.numerics.normality import normality
from worker.engines.analysis.numerics.paired import (
    friedman,
    paired_t,
    repeated_measures,
    rounding,
    signed_ranks,
)
from worker.engines.analysis.packed import PackedNumbers
from worker.engines.analysis.table import MAX_LEVELS, Column, Table, complete_rows
from worker.engines.analysis.tasks.grouping import describe_group
from worker.engines.analysis.tasks.task import Result, Task

Vector = npt.NDArray[np.float64]

_LEAST_PAIRS = 3
_SMALL = 30
_UNEVEN = 0.05
_DIGITS = 60


@dataclass(frozen=True, slots=True)
class _Measured:
    """`values` of subjects (rows) at `levels` (columns), means of `counts` values of the mean absolute size `sizes`;
    the means of the decimals are in `exact` where these are at hand."""

    levels: list[str]
    values: Vector
    counts: npt.NDArray[np.intp]
    sizes: Vector
    exact: npt.NDArray[np.object_] | None
    warnings: list[str]


def compare_paired(table: Table, task: Task) -> Result:
    """Differences within subjects (`pair` names them), over subjects with a value at every level.

    Every pair of levels by the paired t and by Wilcoxon's signed ranks; with three levels or more `overall` has the
    analysis of variance of repeated measures (Greenhouse and Geisser) and Friedman's test. `preferred` is `paired_t`,
    or `wilcoxon` where differences are not normal (Shapiro–Wilk p < 0.05) and there are fewer than 30 subjects.
    """
    response = task.column("response", table, numeric=True)
    group, subject = task.column("group", table), task.column("pair", table)
    if len({response.name, group.name, subject.name}) < 3:
        raise task.fault("pair", "must be another column than response and group")
    measured = _by_subject(task, response, group, subject)
    levels, values, warnings = measured.levels, measured.values, measured.warnings
    n = len(values)
    pairs = [_pair(measured, i, j) for i, j in combinations(range(len(levels)), 2)]
    skewed = [p for p in pairs if p["normal_differences"] is not None and p["normal_differences"]["p"] < _UNEVEN]
    preferred = "wilcoxon" if skewed and n < _SMALL else "paired_t"
    for test in ("paired_t", "wilcoxon"):
        tested = [pair[test] for pair in pairs if pair[test] is not None]
        for result, adjusted in zip(tested, holm([result["p"] for result in tested]), strict=True):
            result["p_adjusted"] = adjusted
    left_out = table.rows - n * len(levels)
    if left_out > 0:
        warnings.insert(0, f"{left_out} of {table.rows} rows are left out: no value, or not one at every level")
    least = min((p["normal_differences"]["p"] for p in pairs if p["normal_differences"] is not None), default=None)
    said = "no check of the differences was possible" if least is None else f"least Shapiro–Wilk p {least:.3g}"
    why = f"{n} subjects have a value at every level, so differences within subjects are tested; {said}"
    return {
        "response": response.name,
        "group": group.name,
        "pair": subject.name,
        "design": "paired",
        "n": n * len(levels),
        "subjects": n,
        "groups": [describe_group(level, PackedNumbers(values[:, k].copy())) for k, level in enumerate(levels)],
        "preferred": preferred,
        "decision": {"test": preferred, "why": why},
        "pairs": pairs,
        "overall": _overall(measured) if len(levels) > 2 else None,
        "assumptions": {"equal_spread": None, "normal_residuals": None},
        "adjustment": "holm",
        "warnings": warnings,
    }


def _by_subject(task: Task, response: Column, group: Column, subject: Column) -> _Measured:
    rows = complete_rows([response, group, subject])
    if not len(rows):
        raise NotPossible(f"No row has {response.name}, {group.name} and {subject.name}.")
    codes, every = group.codes()
    present, column = np.unique(codes[rows], return_inverse=True)
    levels = [every[k] for k in present.tolist()]
    if len(levels) > MAX_LEVELS:
        raise task.fault("group", f"{len(levels)} levels; at most {MAX_LEVELS} are compared")
    if len(levels) < 2:
        raise NotPossible(f"Column {group.name} has fewer than two levels with values of {response.name}.")
    if subject.exact:
        places: dict[str | None, int] = {}
        row = np.array([places.setdefault(subject.cells[i], len(places)) for i in rows.tolist()], dtype=np.intp)
    else:
        row = np.unique(subject.codes()[0][rows], return_inverse=True)[1].astype(np.intp)
    place = row * len(levels) + column
    size = (int(row.max()) + 1) * len(levels)
    many = np.bincount(place, minlength=size)
    numbers = response.floats()[rows]
    sums = np.bincount(place, weights=numbers, minlength=size)
    sizes = np.bincount(place, weights=np.abs(numbers), minlength=size)
    warnings = []
    if many.max() > 1:
        warnings.append("some subjects have several values at a level: their means are compared")
    grid = many.reshape(-1, len(levels))
    complete = np.all(grid > 0, axis=1)
    if int(complete.sum()) < _LEAST_PAIRS:
        raise NotPossible(
            f"Only {int(complete.sum())} subject(s) of {subject.name} have {response.name} at every level of "
            f"{group.name}."
        )
    counts = grid[complete]
    values, absolute = (of.reshape(grid.shape)[complete] / counts for of in (sums, sizes))
    exact = _exact_sums(response, rows, place, size).reshape(grid.shape)[complete] if response.exact else None
    if exact is not None:
        with localcontext(prec=_DIGITS):
            exact = exact / counts.astype(np.object_)
    return _Measured(levels, values, counts, absolute, exact, warnings)


def _exact_sums(response: Column, rows: npt.NDArray[np.intp], place: npt.NDArray[np.intp], size: int) -> Any:
    sums = np.full(size, Decimal(0), dtype=np.object_)
    with localcontext(prec=_DIGITS):
        for i, k in zip(rows.tolist(), place.tolist(), strict=True):
            sums[k] += Decimal(response.cells[i] or 0)
    return sums


def _pair(measured: _Measured, i: int, j: int) -> Result:
    levels, values, exact = measured.levels, measured.values, measured.exact
    a, b = values[:, i], values[:, j]
    if exact is None:
        off = rounding(measured.sizes, measured.counts)
        w = signed_ranks(a, b, off[:, i] + off[:, j])
    else:
        with localcontext(prec=_DIGITS):
            w = signed_ranks((exact[:, i] - exact[:, j]).astype(np.float64))
    t = paired_t(a, b)
    normal = normality(a - b)
    return {
        "a": levels[i],
        "b": levels[j],
        "normal_differences": None if normal is None else asdict(normal),
        "paired_t": None if t is None else asdict(t),
        "wilcoxon": None if w is None else asdict(w),
    }


def _overall(measured: _Measured) -> Result:
    values, exact = measured.values, measured.exact
    if exact is None:
        # Doubles of single values differ as their decimals do.
        ranks = friedman(values, np.where(measured.counts > 1, rounding(measured.sizes, measured.counts), 0.0))
    else:
        ranks = friedman(exact.astype(np.float64))
    means = repeated_measures(values)
    anova = None
    if means is not None:
        anova = asdict(means) | {"p": f_upper(means.f, means.df1, means.df2)}
    return {"friedman": None if ranks is None else asdict(ranks), "repeated_measures": anova}
