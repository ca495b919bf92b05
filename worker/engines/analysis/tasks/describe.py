"""`describe`: univariate statistics of columns."""

from __future__ import annotations

import math

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.numerics.sums import Summary, summarise
from worker.engines.analysis.table import Column, Table
from worker.engines.analysis.tasks.counting import first_and_last, value_counts
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import plural

SMALL_SAMPLE = 10
_TOP = 10
QUANTILES = "linear between order statistics (type 7 of Hyndman and Fan 1996)"
FEW_DIGITS = 6
"""Fewer digits than these that can be trusted are warned about."""


def run(table: Table, task: Task) -> Result:
    """Each column's statistics. Columns that are not numeric get counts of their commonest values instead.

    `q1`, `median` and `q3` are linear between order statistics. `ci_low` and `ci_high` are the 95 % interval of
    the mean by Student's t, `sd_ci_*` that of the standard deviation by chi-square (which leans on normality),
    `median_ci_*` that of the median by order statistics (which leans on nothing). `autocorrelation_lag1` is about the
    mean, over the full sum of squares. `skewness` and `kurtosis` (in excess of the normal distribution's) are G1 and G2
    of Joanes and Gill (1998). `digits` of mean and standard deviation can be trusted.
    """
    columns = task.columns("columns", table) or list(table.columns)
    return {"columns": [describe_column(column) for column in columns]}


def describe_column(column: Column) -> Result:
    present = len(column.cells) - column.missing
    described: Result = {
        "name": column.name,
        "type": str(column.type),
        "unit": column.unit,
        "n": present,
        "missing": column.missing,
        "distinct": column.distinct,
    }
    if column.identifier:
        described["identifier"] = True
    if not column.numeric:
        described["top"] = [{"value": value[:200], "count": count} for value, count in value_counts(column, _TOP)]
        if present and str(column.type) == "date":
            described |= dict(zip(("first", "last"), first_and_last(column), strict=True))
        return described
    if not present:
        return described | dict.fromkeys(_NUMBERS) | {"warnings": ["no value is present"]}
    return described | _numbers(summarise(column.cells))


_NUMBERS = (
    "mean", "sd", "min", "q1", "median", "q3", "max", "autocorrelation_lag1", "ci_low", "ci_high", "sd_ci_low",
    "sd_ci_high", "median_ci_low", "median_ci_high", "skewness", "kurtosis", "quantile_method", "arithmetic", "digits",
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
    sd_low, sd_high = _spread_interval(summary)
    median_low, median_high = summary.median_interval or (None, None)
    if summary.digits < FEW_DIGITS:
        warnings.append(
            f"only {plural(summary.digits, 'digit')} of mean and standard deviation can be trusted: the values are "
            "large beside their scatter, and so many rows are computed in doubles"
        )
    if summary.n > 1 and low == high and not summary.sd:
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
        "sd_ci_low": sd_low,
        "sd_ci_high": sd_high,
        "median_ci_low": median_low,
        "median_ci_high": median_high,
        "skewness": summary.skewness,
        "kurtosis": summary.kurtosis,
        "quantile_method": QUANTILES,
        "arithmetic": summary.arithmetic,
        "digits": summary.digits,
        "warnings": warnings,
    }


def _spread_interval(summary: Summary) -> tuple[float | None, float | None]:
    """95 % limits of the standard deviation, by chi-square."""
    if not summary.sd:
        return None, None
    df = summary.n - 1
    quantile = load("scipy.special").chdtri
    low, high = (summary.sd * math.sqrt(df / float(quantile(df, tail))) for tail in (0.025, 0.975))
    return low, high
