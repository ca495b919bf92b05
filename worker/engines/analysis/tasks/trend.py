"""`trend`: whether and how fast a response rises or falls over time, without assuming a shape of its scatter."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.kendall import score_variance
from worker.engines.analysis.numerics.mann_kendall import score_test, slope_limits, variance_factor
from worker.engines.analysis.numerics.permutation import MAX_KENDALL, kendall_p
from worker.engines.analysis.numerics.ranks import tie_sizes
from worker.engines.analysis.packed import day_text
from worker.engines.analysis.table import Column, ColumnType, Table, complete_rows
from worker.engines.analysis.tasks.numeric_rows import whole_number
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.tasks.time_patterns import breaks, seasonality

Vector = npt.NDArray[np.float64]

MAX_ROWS = 3_000
"""Pairs grow with the square of the rows; longer series are thinned to evenly spaced rows."""
_LEAST_ROWS = 4
_SMALL_SAMPLE = 10
_DEPENDENT = 2.0


def run(table: Table, task: Task) -> Result:
    """Mann–Kendall's test and Theil–Sen's slope with its 95 % interval (Sen 1968), per unit of time.

    `time` is a numeric or date column (dates count in days); without it the order of the rows. Rows are put in order of
    time; the variance of S is corrected for ties. `p_method` is `exact` for up to ten values without ties, else
    `normal`. `corrected` has z, p and interval with the variance that autocorrelation gives S (Hamed and Rao 1998, with
    a first-order process); `preferred` is `seasonal_mann_kendall` where a season was found, `hamed_rao` where
    neighbouring residuals are alike, else `mann_kendall`. `seasonality` and `changes` are described in
    :mod:`time_patterns`; `change_points` are the changes to be told; `period` (in steps of the series) is the season to
    test instead of those that the calendar and the spectrum suggest. Several values at one time are taken as they are
    for the trend, and by their mean for seasons and changes.
    """
    response = task.column("response", table, numeric=True)
    time = task.column("time", table) if task.arguments.get("time") is not None else None
    if time is not None and not (time.numeric or time.type is ColumnType.DATE):
        raise task.fault("time", f"column {time.name!r} is {time.type}; a date or a number is needed")
    if time is not None and time.name == response.name:
        raise task.fault("time", "must be another column than the response")
    period = whole_number(task, "period", 2, 100_000)
    every_t, every_y = _series(response, time)
    if len(every_y) < _LEAST_ROWS:
        raise NotPossible(f"A trend needs {_LEAST_ROWS} values at different times; {response.name} has {len(every_y)}.")
    t, y = _thinned(every_t, every_y)
    s, slopes = _pairs(t, y)
    variance = score_variance(len(y), tie_sizes(y), tie_sizes(t))
    if not len(slopes):
        raise NotPossible("All values are at the same time, so there is no trend to estimate.")
    z, p = score_test(s, variance)
    exactly = len(y) <= MAX_KENDALL and len(np.unique(y)) == len(np.unique(t)) == len(y)
    slope = float(np.median(slopes))
    intercept = float(np.median(y - slope * t))
    low, high = slope_limits(slopes, variance, slope)
    residuals = y - intercept - slope * t
    lag1 = _lag1(residuals)
    factor = variance_factor(residuals)
    alike = lag1 is not None and lag1 > _DEPENDENT / math.sqrt(len(y))
    better_z, better_p = score_test(s, variance * factor)
    better_low, better_high = slope_limits(slopes, variance * factor, slope)
    unique_t, unique_y = _one_at_a_time(every_t, every_y)
    dated = time is not None and time.type is ColumnType.DATE
    seasons = seasonality(unique_t, unique_y, slope, dated=dated, period=period)
    changed = breaks(unique_t, unique_y, task.seed, seasons["found"])
    told = _dated(changed, dated=dated)
    return {
        "response": response.name,
        "time": None if time is None else time.name,
        "time_unit": _unit(time),
        "n": len(y),
        "s": s,
        "tau": s / len(slopes),
        "z": z,
        "p": kendall_p(round(s), len(y)) if exactly else p,
        "p_method": "exact" if exactly else "normal",
        "slope": slope,
        "ci_low": low,
        "ci_high": high,
        "corrected": {
            "method": "hamed_rao", "variance_factor": factor, "z": better_z, "p": better_p,
            "ci_low": better_low, "ci_high": better_high,
        },
        "preferred": _preferred(seasons, alike=alike),
        "intercept": intercept,
        "time_first": float(t[0]),
        "time_last": float(t[-1]),
        "residual_autocorrelation_lag1": lag1,
        # Ties can make the median slope 0 although S shows a direction.
        "direction": "rising" if (slope or s) > 0 else "falling" if (slope or s) < 0 else "level",
        "seasonality": seasons,
        "changes": changed,
        "change_points": told,
        "warnings": _warnings(len(every_y), len(y), lag1, variance, exactly=exactly),
    }  # fmt: skip


def _dated(changed: Result, *, dated: bool) -> list[Result]:
    """Puts dates for the places of changes; gives those that are to be told, each with `time` as a number."""
    bend = [changed["slope"]] if changed["slope"] is not None else []
    for change in [*changed["level"], *bend]:
        change["time"] = change["at"]
        for key in ("at", "at_low", "at_high"):
            moment = change[key]
            if dated:
                change[key] = day_text(moment, timed=bool(moment % 1))
            elif moment == int(moment):
                change[key] = int(moment)
    listed = changed["level"] if changed["best"] == "level" else bend if changed["best"] == "slope" else []
    return [{"kind": changed["best"], **change} for change in listed]


def _preferred(seasons: Result, *, alike: bool) -> str:
    if seasons["found"] is not None and seasons["found"]["seasonal_mann_kendall"] is not None:
        return "seasonal_mann_kendall"
    return "hamed_rao" if alike else "mann_kendall"


def _unit(time: Column | None) -> str:
    if time is None:
        return "row"
    return "day" if time.type is ColumnType.DATE else f"unit of {time.name}"


def _series(response: Column, time: Column | None) -> tuple[Vector, Vector]:
    """Moments and values in order of time."""
    rows = complete_rows([response] if time is None else [response, time])
    values = response.floats()[rows]
    if time is None:
        return np.asarray(rows + 1, dtype=np.float64), np.array(values)
    moments = (time.floats() if time.numeric else time.days())[rows]
    order = np.argsort(moments, kind="stable")
    return np.array(moments[order]), np.array(values[order])


def _thinned(t: Vector, y: Vector) -> tuple[Vector, Vector]:
    if len(t) <= MAX_ROWS:
        return t, y
    places = np.arange(MAX_ROWS) * len(t) // MAX_ROWS
    return t[places], y[places]


def _one_at_a_time(t: Vector, y: Vector) -> tuple[Vector, Vector]:
    """Every time once, with the mean of its values."""
    moments, place, counts = np.unique(t, return_inverse=True, return_counts=True)
    return moments, np.asarray(np.bincount(place, weights=y) / counts, dtype=np.float64)


def _pairs(t: Vector, y: Vector) -> tuple[float, Vector]:
    """S over pairs at different times, and the slopes of those pairs."""
    s = 0.0
    slopes = []
    for i in range(len(y) - 1):
        dt, dy = t[i + 1 :] - t[i], y[i + 1 :] - y[i]
        later = dt > 0
        s += float(np.sign(dy[later]).sum())
        slopes.append(dy[later] / dt[later])
    return s, np.concatenate(slopes) if slopes else np.zeros(0)


def _lag1(residuals: Vector) -> float | None:
    d = residuals - residuals.mean()
    total = float(d @ d)
    return float(d[1:] @ d[:-1]) / total if total > 0 else None


def _warnings(every: int, n: int, lag1: float | None, variance: float, *, exactly: bool) -> list[str]:
    warnings = []
    if every > n:
        warnings.append(f"{every} values are thinned to {n} evenly spaced ones for the trend")
    if n < _SMALL_SAMPLE:
        what = "the interval of the slope" if exactly else "the normal approximation"
        warnings.append(f"only {n} values: {what} is rough")
    if variance <= 0:
        warnings.append("all values are equal")
    if lag1 is not None and lag1 > _DEPENDENT / math.sqrt(n):
        warnings.append(
            f"neighbouring residuals are alike (lag-1 autocorrelation {lag1:.2f}), so the plain p and interval are too "
            "optimistic: read those corrected for it"
        )
    return warnings
