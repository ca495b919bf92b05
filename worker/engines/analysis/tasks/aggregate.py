"""`aggregate`: one figure of a column, or one for each group: how many, what share, the mean, the most."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from worker.engines.analysis.choosing import is_time
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.packed import PackedLevels
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.conditions import kept_rows
from worker.engines.analysis.tasks.task import Result, Task, level_text, no_level

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

STATISTICS = ("count", "missing", "distinct", "share", "mean", "median", "sum", "min", "max", "sd")
MOST_GROUPS = 50
PERIODS = ("year", "quarter", "month", "day")
_NEEDS_NUMBERS = frozenset({"mean", "median", "sum", "min", "max", "sd"})
_MOST_EXACT = 20_000
_Z = 1.959963984540054


def run(table: Table, task: Task) -> Result:
    """The statistic over all rows that `where` keeps, and over each level of `by`.

    `where` is that of :func:`conditions.kept_rows`. With `period` a `by` of dates is taken by year, quarter, month or
    day, and the groups come in the order of time.
    `level` is what a share or a count is of; a boolean's is ``true``, a 0/1 column's ``1``. Means have 95 % intervals
    by Student's t, shares by Wilson's score. Groups come by value, the highest first; those without a value are left
    out.
    """
    statistic = task.choice("statistic", STATISTICS, "mean")
    numeric = statistic in _NEEDS_NUMBERS
    column = None if task.arguments.get("column") is None else task.column("column", table, numeric=numeric)
    if column is None and statistic not in ("count", "share"):
        raise task.fault("column", f"{statistic} needs it")
    by = None if task.arguments.get("by") is None else task.column("by", table)
    period = None if task.arguments.get("period") is None else task.choice("period", PERIODS, "")
    if period is not None:
        if by is None or by.type is not ColumnType.DATE:
            raise task.fault("period", "needs a column of dates in `by`")
        by = periods_of(by, period)
    kept, told = kept_rows(table, task)
    level = _level(column, task) if column is not None and statistic in ("count", "share") else None
    measure = _Measure(table, statistic, column, level, kept, whole=_share_of_rows(task))
    overall = measure.of(measure.rows)
    if overall is None:
        raise NotPossible(f"No row{told and ' with ' + told} has a value of {column.name if column else 'the data'}.")
    groups, left = (
        ([], 0)
        if by is None
        else _groups(by, measure, in_order=period is not None and not task.arguments.get("extreme"))
    )
    warnings = [f"{left} of the groups are not listed"] if left else []
    return {
        "statistic": statistic,
        "column": None if column is None else column.name,
        "unit": None if column is None else column.unit,
        "level": level,
        "by": None if by is None else by.name,
        "period": period,
        "where": told,
        **overall,
        "rows": int(measure.rows.sum()),
        "groups": groups,
        "at": _places(table, column, overall["value"], kept) if statistic in ("min", "max") else None,
        "extreme": task.choice("extreme", ("max", "min"), "max") if task.arguments.get("extreme") else None,
        "arithmetic": "double",
        "warnings": warnings,
    }


def _places(table: Table, column: Column | None, value: float, kept: npt.NDArray[np.bool_]) -> Result:
    """The first row with that value, from 1, how many there are, and the row's name or time where a column has it."""
    import numpy as np

    assert column is not None
    rows = np.flatnonzero(kept & (column.floats() == value))
    first = int(rows[0])
    names = [c for c in table.columns if c.type is ColumnType.TEXT or (c.identifier and not c.numeric)]
    named = [c for c in names if c is not column and c.distinct == table.rows - c.missing]
    times = [c for c in table.columns if c is not column and (c.type is ColumnType.DATE or is_time(c))]
    name = next(iter((*named, *times)), None)
    label = None if name is None else name.cells[first]
    return {"row": first + 1, "rows": len(rows), "column": None if label is None else name and name.name, "name": label}


def _share_of_rows(task: Task) -> bool:
    return task.arguments.get("statistic") == "share" and task.arguments.get("column") is None


def _level(column: Column, task: Task) -> str | None:
    levels = column.levels()
    if task.arguments.get("level") is not None:
        given = level_text(task.arguments["level"])
        if given not in levels:
            raise task.fault("level", no_level(column, given))
        return given
    if column.type is ColumnType.BOOLEAN:
        return "true"
    if column.numeric and levels and {float(value) for value in levels} <= {0.0, 1.0}:
        return levels[-1] if float(levels[-1]) == 1.0 else None
    return None


def periods_of(column: Column, period: str) -> Column:
    """The years, quarters, months or days of a column of dates, as levels in the order of time."""
    import numpy as np

    present = column.present()
    days = np.where(present, column.days(), 0.0).astype("datetime64[D]")
    unit = {"year": "Y", "quarter": "M", "month": "M", "day": "D"}[period]
    texts = days.astype(f"datetime64[{unit}]").astype(str)
    if period == "quarter":
        texts = np.array([f"{text[:4]}-Q{(int(text[5:7]) + 2) // 3}" for text in texts.tolist()])
    levels, codes = np.unique(texts[present], return_inverse=True)
    places = np.full(len(texts), -1, dtype=np.int32)
    places[present] = codes
    return Column(f"{period} of {column.name}", ColumnType.CATEGORY, PackedLevels(places, tuple(levels.tolist())))


class _Measure:
    """The statistic of any set of rows."""

    def __init__(
        self,
        table: Table,
        statistic: str,
        column: Column | None,
        level: str | None,
        kept: npt.NDArray[np.bool_],
        *,
        whole: bool,
    ) -> None:
        import numpy as np

        self.statistic = statistic
        self.column = column
        self.whole = whole
        self.kept = kept
        self.rows = np.ones(table.rows, dtype=np.bool_) if whole else kept
        self.hits = kept
        if column is not None:
            self.present = column.present()
            if level is not None:
                codes, levels = column.codes()
                self.hits = kept & (codes == levels.index(level))
            self.values = column.floats() if column.numeric else None

    def of(self, rows: npt.NDArray[np.bool_]) -> Result | None:
        """None where `rows` has no value."""
        import numpy as np

        if self.statistic == "missing":
            n = int(rows.sum())
            return {"n": n, "value": int((rows & ~self.present).sum()), "ci_low": None, "ci_high": None} if n else None
        used = rows if self.column is None else rows & self.present
        n = int(used.sum())
        if self.statistic == "count":
            return {"n": n, "value": int((self.hits & used).sum()), "ci_low": None, "ci_high": None}
        if n == 0:
            return None
        if self.statistic == "share":
            return {"n": n, **_wilson(int((self.hits & used).sum()), n)}
        if self.statistic == "distinct":
            assert self.column is not None
            return {"n": n, "value": len(np.unique(self.column.codes()[0][used])), "ci_low": None, "ci_high": None}
        assert self.values is not None
        values = self.values[used]
        value = _STATISTICS[self.statistic](values)
        found: Result = {"n": n, "value": value, "ci_low": None, "ci_high": None}
        if self.statistic == "mean" and n > 1:
            half = t_quantile(0.975, n - 1) * mean_and_sd(values)[1] / math.sqrt(n)
            found |= {"ci_low": value - half, "ci_high": value + half}
        return found


def _groups(by: Column, measure: _Measure, *, in_order: bool) -> tuple[list[Result], int]:
    codes, levels = by.codes()
    if len(levels) > 10_000:
        raise NotPossible(f"{by.name} has {len(levels):,} different values, too many to compare one by one.")
    groups = []
    for place, level in enumerate(levels):
        found = measure.of(measure.rows & (codes == place))
        if found is not None and found["n"] and found["value"] is not None:
            groups.append({"level": level, **found})
    if not in_order:
        groups.sort(key=lambda group: (-group["value"], group["level"]))
    if len(groups) > MOST_GROUPS:
        half = MOST_GROUPS // 2
        return groups[:half] + groups[-half:], len(groups) - MOST_GROUPS
    return groups, 0


def total(values: npt.NDArray[np.float64]) -> float:
    """The sum, correctly rounded up to :data:`_MOST_EXACT` values, beyond that by pairs about a first mean."""
    if len(values) <= _MOST_EXACT:
        return math.fsum(values.tolist())
    first = float(values.mean())
    return first * len(values) + float((values - first).sum())


def mean_and_sd(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The mean and the standard deviation (n − 1; 0 for one value)."""
    mean = total(values) / len(values)
    return mean, math.sqrt(total((values - mean) ** 2) / (len(values) - 1)) if len(values) > 1 else 0.0


def _median(values: npt.NDArray[np.float64]) -> float:
    import numpy as np

    return float(np.median(values))


_STATISTICS: Mapping[str, Callable[[Any], float]] = {
    "mean": lambda values: total(values) / len(values),
    "median": _median,
    "sum": total,
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
    "sd": lambda values: mean_and_sd(values)[1],
}


def _wilson(hits: int, n: int) -> Result:
    """A share with its 95 % score interval (Wilson 1927)."""
    share, z2 = hits / n, _Z * _Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return {"value": share, "ci_low": 0.0 if hits == 0 else low, "ci_high": 1.0 if hits == n else high}
