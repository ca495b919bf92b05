"""`one_sample`: whether a column's mean differs from a value given."""

from __future__ import annotations

import math

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.distributions import t_quantile, t_two_sided
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.aggregate import mean_and_sd, total
from worker.engines.analysis.tasks.task import Result, Task

_SMALL = 15


def run(table: Table, task: Task) -> Result:
    """Student's t-test of the mean against `value`, with the 95 % interval of the mean and Cohen's d (the difference
    from `value` in standard deviations)."""
    column = task.column("column", table, numeric=True)
    value = task.arguments.get("value")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise task.fault("value", "must be a number")
    present = column.floats()[column.present()]
    n = len(present)
    if n < 2:
        raise NotPossible(
            f"A mean of {column.name} needs 2 values to be tested; there {'is' if n == 1 else 'are'} {n}."
        )
    mean, sd = mean_and_sd(present)
    if sd == 0:
        raise NotPossible(f"All {n} values of {column.name} are {mean:g}, so their mean cannot be tested.")
    error = sd / math.sqrt(n)
    t = (mean - value) / error
    half = t_quantile(0.975, n - 1) * error
    third = total((present - mean) ** 3) / n
    skewness = third / (sd * math.sqrt((n - 1) / n)) ** 3
    warnings = []
    if n < _SMALL:
        warnings.append(f"only {n} values: the test leans on normality")
    elif abs(skewness) > 1 and n < 100:
        warnings.append(f"skewness {skewness:.2f} with {n} values: t is approximate")
    return {
        "column": column.name,
        "unit": column.unit,
        "value": float(value),
        "n": n,
        "mean": mean,
        "sd": sd,
        "ci_low": mean - half,
        "ci_high": mean + half,
        "difference": mean - value,
        "t": t,
        "df": n - 1,
        "p": t_two_sided(t, n - 1),
        "cohens_d": (mean - value) / sd,
        "arithmetic": "double",
        "warnings": warnings,
    }
