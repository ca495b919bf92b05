"""`outliers`: values far from the others, by three rules, with the rows they stand in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.distributions import t_quantile, t_two_sided
from worker.engines.analysis.numerics.normality import normality
from worker.engines.analysis.table import Column, Table
from worker.engines.analysis.tasks.modelling import row_name
from worker.engines.analysis.tasks.task import Result, Task

Vector = npt.NDArray[np.float64]

MAX_COLUMNS = 50
_LEVEL = 0.05
_ROBUST_LIMIT = 3.5
_SHOWN = 20
_LEAST = 5
_MOST_TESTED = 10
_FEW = 25
_NORMAL_OUTSIDE = 0.00698


def run(table: Table, task: Task) -> Result:
    """By column: Tukey's fences, robust z-values and the generalised extreme Studentised deviate (ESD).

    `tukey` is `outside` (beyond 1.5 interquartile ranges from the quartiles) or `far_out` (beyond 3). `robust_z` is the
    distance to the median over the scaled median absolute deviation; above 3.5 counts (Iglewicz and Hoaglin 1993).
    ESD (Rosner 1983; below 25 values Grubbs's test of one) is a test at 5 %, divided by the number of columns, and is
    given where the other values look normal, on their own scale or on that of their logarithms. `row` counts from 1.
    """
    columns = task.columns("columns", table, numeric=True)
    if columns is not None and len(columns) > MAX_COLUMNS:
        raise task.fault("columns", f"at most {MAX_COLUMNS} columns")
    columns = (table.measures() if columns is None else columns)[:MAX_COLUMNS]
    if not columns:
        raise NotPossible("Outliers need a numeric column with different values.")
    found = [_column(table, column, _LEVEL / len(columns)) for column in columns]
    warnings = []
    if any(entry["rows"] for entry in found):
        warnings.append("values far from the others are no errors by themselves: look at how they came about")
    return {"columns": found, "level": _LEVEL, "robust_limit": _ROBUST_LIMIT, "warnings": warnings}


def _column(table: Table, column: Column, level: float) -> Result:
    places = np.flatnonzero(column.present())
    values = column.floats()[places]
    n = len(values)
    entry: Result = {"name": column.name, "n": n, "fences": None, "median": None, "mad": None, "esd": None}
    entry |= {"outside": 0, "far_out": 0, "robust": 0, "expected_outside": None, "rows": [], "note": None}
    if n < _LEAST or float(np.ptp(values)) <= 0:
        entry["note"] = f"{n} values, {column.distinct} of them different, are too few"
        return entry
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    reach = q3 - q1
    fences = {"low": q1 - 1.5 * reach, "high": q3 + 1.5 * reach, "far_low": q1 - 3 * reach, "far_high": q3 + 3 * reach}
    outside = (values < fences["low"]) | (values > fences["high"])
    far = (values < fences["far_low"]) | (values > fences["far_high"])
    if reach <= 0:
        entry["note"] = "half of the values are equal, so fences and robust z-values say little"
        outside = far = np.zeros(n, dtype=bool)
    mad = float(np.median(np.abs(values - median)))
    robust = 0.6744897501960817 * (values - median) / mad if mad > 0 else np.zeros(n)
    esd = _esd_where_normal(values, level)
    tested = np.zeros(n, dtype=bool)
    if esd is not None:
        tested[esd.places] = True
        entry["esd"] = {
            "scale": esd.scale, "test": esd.test, "found": len(esd.places), "level": level,
            "largest": esd.largest, "p": esd.p,
        }  # fmt: skip
    distant = np.abs(robust) > _ROBUST_LIMIT
    chosen = np.flatnonzero(outside | distant | tested)
    order = chosen[np.argsort(-np.abs(values[chosen] - median), kind="stable")]
    entry |= {
        "fences": fences,
        "median": median,
        "mad": mad,
        "outside": int(outside.sum()),
        "far_out": int(far.sum()),
        "robust": int(distant.sum()),
        "expected_outside": _NORMAL_OUTSIDE * n,
    }
    entry["rows"] = [
        row_name(table, int(places[i]))
        | {
            "value": float(values[i]),
            "tukey": "far_out" if far[i] else "outside" if outside[i] else None,
            "robust_z": float(robust[i]) if mad > 0 else None,
            "esd": bool(tested[i]) if esd is not None else None,
        }
        for i in order[:_SHOWN].tolist()
    ]
    return entry


@dataclass(frozen=True, slots=True)
class Deviates:
    """Places of the values that the test finds, the most extreme deviate, and its p by Bonferroni (Grubbs)."""

    places: list[int]
    scale: str
    test: str
    largest: float
    p: float


def _esd_where_normal(values: Vector, level: float) -> Deviates | None:
    found = esd(values, level, "values")
    if _rest_is_normal(values, found.places):
        return found
    if float(values.min()) > 0:
        logs = np.log(values)
        on_logs = esd(logs, level, "logarithms")
        if _rest_is_normal(logs, on_logs.places):
            return on_logs
    return None


def _rest_is_normal(values: Vector, without: list[int]) -> bool:
    test = normality(np.delete(values, without))
    return test is not None and test.p >= _LEVEL


def esd(values: Vector, level: float, scale: str, most: int | None = None) -> Deviates:
    """Rosner's generalised test of `most` outliers (a tenth of the values up to ten; below 25 one, which is Grubbs's),
    two-sided at `level`."""
    if most is None:
        most = 1 if len(values) < _FEW else min(_MOST_TESTED, len(values) // 10)
    rest, places = values.copy(), np.arange(len(values))
    order: list[int] = []
    count, largest, p_value = 0, 0.0, 1.0
    for step in range(1, most + 1):
        n = len(rest)
        spread = float(rest.std(ddof=1))
        if spread <= 0 or n < 3:
            break
        away = np.abs(rest - rest.mean())
        at = int(np.argmax(away))
        deviate = float(away[at]) / spread
        if step == 1:
            largest, p_value = deviate, _grubbs_p(deviate, n)
        t = t_quantile(1 - level / (2 * n), n - 2)
        critical = (n - 1) * t / math.sqrt((n - 2 + t * t) * n)
        order.append(int(places[at]))
        if deviate > critical:
            count = step
        rest, places = np.delete(rest, at), np.delete(places, at)
    return Deviates(order[:count], scale, "grubbs" if most == 1 else "generalised_esd", largest, p_value)


def _grubbs_p(deviate: float, n: int) -> float:
    """Bonferroni's bound on the chance of a deviate as large in a normal sample."""
    left = (n - 1) ** 2 - n * deviate * deviate
    if left <= 0:
        return 0.0
    t = math.sqrt(n * (n - 2) * deviate * deviate / left)
    return min(1.0, n * t_two_sided(t, n - 2))
