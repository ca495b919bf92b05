"""`describe`: univariate statistics of columns."""

from __future__ import annotations

import math
from collections import Counter

from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.numerics.sums import Summary, summarise
from worker.engines.analysis.table import Column, Table
from worker.engines.analysis.tasks.task import Result, Task

SMALL_SAMPLE = 10
_TOP = 10


def run(table: Table, task: Task) -> Result:
    """Each column's statistics. Columns that are not numeric get counts of their commonest values instead.

    `q1`, `median` and `q3` are linear between order statistics. `ci_low` and `ci_high` are the 95 % interval of
    the mean by Student's t. `autocorrelation_lag1` is about the mean, over the full sum of squares.
    """
    columns = task.columns("columns", table) or list(table.columns)
    return {"columns": [describe_column(column) for column in columns]}


def describe_column(column: Column) -> Result:
    present = [cell for cell in column.cells if cell is not None]
    described: Result = {
        "name": column.name,
        "type": str(column.type),
        "unit": column.unit,
        "n": len(present),
        "missing": len(column.cells) - len(present),
        "distinct": len(set(present)),
    }
    if not column.numeric:
        counts = sorted(Counter(present).items(), key=lambda item: (-item[1], item[0]))
        described["top"] = [{"value": value[:200], "count": count} for value, count in counts[:_TOP]]
        if present and str(column.type) == "date":
            described |= {"first": min(present), "last": max(present)}
        return described
    if not present:
        return described | dict.fromkeys(_NUMBERS) | {"warnings": ["no value is present"]}
    return described | _numbers(summarise(column.cells))


_NUMBERS = (
    "mean", "sd", "min", "q1", "median", "q3", "max", "autocorrelation_lag1", "ci_low", "ci_high", "skewness",
    "arithmetic",
)  # fmt: skip


def _numbers(summary: Summary) -> Result:
    low, q1, median, q3, high = summary.quantiles
    ci_low = ci_high = None
    warnings = []
    if summary.sd is not None:
        half = t_quantile(0.975, summary.n - 1) * summary.sd / math.sqrt(summary.n)
        ci_low, ci_high = summary.mean - half, summary.mean + half
    else:
        warnings.append("one value only: no spread can be given")
    if summary.n > 1 and low == high:
        warnings.append("all values are equal")
    if 1 < summary.n < SMALL_SAMPLE:
        warnings.append(f"only {summary.n} values: the interval leans on normality")
    return {
        "mean": summary.mean,
        "sd": summary.sd,
        "min": low,
        "q1": q1,
        "median": median,
        "q3": q3,
        "max": high,
        "autocorrelation_lag1": summary.autocorrelation_lag1,
        "ci_low": ci_low,
        "ci_high": ci_high,
        "skewness": summary.skewness,
        "arithmetic": summary.arithmetic,
        "warnings": warnings,
    }
