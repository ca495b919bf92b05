"""`trend`: whether and how fast a response rises or falls over time, without assuming a shape of its scatter."""

from __future__ import annotations

import math

import numpy as np

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.distributions import Z95, normal_two_sided
from worker.engines.analysis.numerics.permutation import MAX_KENDALL, kendall_p
from worker.engines.analysis.numerics.ranks import tie_sizes
from worker.engines.analysis.reading.dates import days_since_epoch
from worker.engines.analysis.table import Column, ColumnType, Table, complete_rows
from worker.engines.analysis.tasks.task import Result, Task

MAX_ROWS = 3_000
"""Pairs grow with the square of the rows; longer series are thinned to evenly spaced rows."""
_LEAST_ROWS = 4
_SMALL_SAMPLE = 10
_DEPENDENT = 2.0


def run(table: Table, task: Task) -> Result:
    """Mann–Kendall's test and Theil–Sen's slope with its 95 % interval (Sen 1968), per unit of time.

    `time` is a numeric or date column (dates count in days); without it the order of the rows. Rows are put in
    order of time; the variance of S is corrected for ties. `p_method` is `exact` for up to ten values without ties,
    else `normal`.
    """
    response = task.column("response", table, numeric=True)
    time = task.column("time", table) if task.arguments.get("time") is not None else None
    if time is not None and not (time.numeric or time.type is ColumnType.DATE):
        raise task.fault("time", f"column {time.name!r} is {time.type}; a date or a number is needed")
    if time is not None and time.name == response.name:
        raise task.fault("time", "must be another column than the response")
    t, y, thinned = _series(response, time)
    if len(y) < _LEAST_ROWS:
        raise NotPossible(f"A trend needs {_LEAST_ROWS} values at different times; {response.name} has {len(y)}.")
    s, variance, slopes, ordered_pairs = _pairs(t, y)
    if not len(slopes):
        raise NotPossible("All values are at the same time, so there is no trend to estimate.")
    z = 0.0 if variance <= 0 else (s - math.copysign(1, s) if s else 0.0) / math.sqrt(variance)
    exactly = len(y) <= MAX_KENDALL and len(set(y.tolist())) == len(set(t.tolist())) == len(y)
    slope = float(np.median(slopes))
    intercept = float(np.median(y - slope * t))
    # Ranks of the limits among the slopes, interpolated (Gilbert 1987).
    reach = Z95 * math.sqrt(max(variance, 0.0))
    limits = [((len(slopes) - reach) / 2 - 1) / (len(slopes) - 1), ((len(slopes) + reach) / 2) / (len(slopes) - 1)]
    low, high = np.quantile(slopes, np.clip(limits, 0.0, 1.0)).tolist() if len(slopes) > 1 else (slope, slope)
    residuals = y - intercept - slope * t
    lag1 = _lag1(residuals)
    return {
        "response": response.name,
        "time": None if time is None else time.name,
        "time_unit": _unit(time),
        "n": len(y),
        "s": s,
        "tau": s / ordered_pairs if ordered_pairs else None,
        "z": z,
        "p": kendall_p(round(s), len(y)) if exactly else normal_two_sided(z),
        "p_method": "exact" if exactly else "normal",
        "slope": slope,
        "ci_low": low,
        "ci_high": high,
        "intercept": intercept,
        "time_first": float(t[0]),
        "time_last": float(t[-1]),
        "residual_autocorrelation_lag1": lag1,
        # Ties can make the median slope 0 although S shows a direction.
        "direction": "rising" if (slope or s) > 0 else "falling" if (slope or s) < 0 else "level",
        "warnings": _warnings(len(y), lag1, thinned, variance, exactly=exactly),
    }


def times(column: Column) -> list[float | None]:
    """A time column as numbers: dates in days since 1970."""
    if column.numeric:
        return [None if cell is None else float(cell) for cell in column.cells]
    return [None if cell is None else days_since_epoch(cell) for cell in column.cells]


def _unit(time: Column | None) -> str:
    if time is None:
        return "row"
    return "day" if time.type is ColumnType.DATE else f"unit of {time.name}"


def _series(
    response: Column, time: Column | None
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]], int]:
    rows = complete_rows([response] if time is None else [response, time])
    moments = [float(i + 1) for i in range(len(response.cells))] if time is None else times(time)
    points = sorted((float(moments[i] or 0.0), i) for i in rows)
    thinned = 0
    if len(points) > MAX_ROWS:
        thinned = len(points)
        points = [points[k * len(points) // MAX_ROWS] for k in range(MAX_ROWS)]
    values = response.floats()
    return np.array([t for t, _ in points]), np.array([values[i] for _, i in points]), thinned


def _pairs(
    t: np.ndarray[tuple[int], np.dtype[np.float64]], y: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[float, float, np.ndarray[tuple[int], np.dtype[np.float64]], int]:
    """S over pairs at different times, its variance, the slopes of those pairs, and how many pairs there are."""
    s = 0.0
    slopes = []
    for i in range(len(y) - 1):
        dt, dy = t[i + 1 :] - t[i], y[i + 1 :] - y[i]
        later = dt > 0
        s += float(np.sign(dy[later]).sum())
        slopes.append(dy[later] / dt[later])
    n = len(y)

    def part(sizes: list[int]) -> float:
        return sum(k * (k - 1) * (2 * k + 5) for k in sizes)

    ties_y, ties_t = tie_sizes(y.tolist()), tie_sizes(t.tolist())
    # Kendall's variance of S with ties in either variable.
    variance = (n * (n - 1) * (2 * n + 5) - part(ties_y) - part(ties_t)) / 18
    variance += (
        sum(k * (k - 1) * (k - 2) for k in ties_y)
        * sum(k * (k - 1) * (k - 2) for k in ties_t)
        / (9 * n * (n - 1) * (n - 2))
    )
    variance += sum(k * (k - 1) for k in ties_y) * sum(k * (k - 1) for k in ties_t) / (2 * n * (n - 1))
    together = np.concatenate(slopes) if slopes else np.zeros(0)
    return s, variance, together, len(together)


def _lag1(residuals: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    d = residuals - residuals.mean()
    total = float(d @ d)
    return float(d[1:] @ d[:-1]) / total if total > 0 else None


def _warnings(n: int, lag1: float | None, thinned: int, variance: float, *, exactly: bool) -> list[str]:
    warnings = []
    if thinned:
        warnings.append(f"{thinned} values are thinned to {n} evenly spaced ones")
    if n < _SMALL_SAMPLE:
        what = "the interval of the slope" if exactly else "the normal approximation"
        warnings.append(f"only {n} values: {what} is rough")
    if variance <= 0:
        warnings.append("all values are equal")
    if lag1 is not None and lag1 > _DEPENDENT / math.sqrt(n):
        warnings.append(
            f"neighbouring residuals are alike (lag-1 autocorrelation {lag1:.2f}), so p and interval are too optimistic"
        )
    return warnings
