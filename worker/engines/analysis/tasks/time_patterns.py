"""What a series does beside rising or falling: seasons, changes of level and of slope."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics import change as changes
from worker.engines.analysis.numerics.distributions import holm
from worker.engines.analysis.numerics.mann_kendall import seasonal_mann_kendall, variance_factor
from worker.engines.analysis.numerics.series import (
    Grid,
    Season,
    grid_of,
    moving_average,
    season_test,
    spectral_peak,
)
from worker.engines.analysis.tasks.task import Result

Vector = npt.NDArray[np.float64]

_FOUND = 0.01
_LEAST_PERIODS = 3
_MOST_ON_GRID = 200_000
_SEASONAL_ROWS = 3_000


def seasonality(t: Vector, y: Vector, slope: float, *, dated: bool, period: int | None) -> Result:
    """The period asked for, or those the calendar and the spectrum suggest, each tested; `found` is the strongest with
    p < 0.01 by Holm. Then with the seasonal Mann–Kendall test, the mean of each season, and the shares of the variance
    that trend and seasons have (of themselves and the remainder)."""
    result: Result = {"looked_for": [], "found": None, "spectrum": None, "note": None}
    grid = grid_of(t, y, dated=dated) if len(t) <= _MOST_ON_GRID else None
    if grid is None:
        result["note"] = "the times are irregular, too few or too many, so no season was looked for"
        return result
    at = np.arange(len(grid.values)) * grid.step
    detrended = grid.values - slope * at
    detrended = detrended - detrended.mean()
    peak = spectral_peak(detrended)
    if peak is not None:
        result["spectrum"] = {"length": peak.length, "unit": grid.unit, "g": peak.g, "p": peak.p}
    candidates = [period] if period is not None else list(grid.periods)
    if period is None and peak is not None and peak.p < _FOUND:
        candidates += [k for k in (round(peak.length),) if k not in candidates]
    usable = [k for k in candidates if len(grid.values) >= _LEAST_PERIODS * k]
    tested = [found for k in usable if (found := season_test(detrended, k)) is not None]
    adjusted = holm([found.p for found in tested])
    result["looked_for"] = [
        {"period": season.period, "unit": grid.unit, "f": season.statistic, "p": season.p, "p_adjusted": p}
        for season, p in zip(tested, adjusted, strict=True)
    ]
    if grid.filled:
        result["note"] = f"{grid.filled} gap(s) of the series are filled in linearly to look for seasons"
    sure = [(season, p) for season, p in zip(tested, adjusted, strict=True) if p < _FOUND]
    if sure:
        season, p = max(sure, key=lambda item: (item[0].strength, -item[0].period))
        result["found"] = _described(grid, season, p, t, y, slope)
    return result


def _described(grid: Grid, season: Season, p: float, t: Vector, y: Vector, slope: float) -> Result:
    values, period = grid.values, season.period
    trend = moving_average(values, period)
    place = np.arange(len(values)) % period
    left = values - trend
    means = np.array([left[place == k].mean() for k in range(period)])
    means = means - means.mean()
    remainder = left - means[place]

    def strength(part: Vector) -> float:
        """The share of its own variance and the remainder's (Wang, Smith and Hyndman 2006)."""
        whole = float((part + remainder).var())
        return max(0.0, 1 - float(remainder.var()) / whole) if whole > 0 else 0.0

    some = np.linspace(0, len(y) - 1, min(len(y), _SEASONAL_ROWS)).round().astype(np.intp)
    factor = variance_factor(values - means[place] - slope * grid.step * np.arange(len(values)))
    tested = seasonal_mann_kendall(t[some], y[some], grid.place[some] % period, factor)
    return {
        "period": period,
        "unit": grid.unit,
        "p": p,
        "strength": strength(means[place]),
        "trend_strength": strength(trend),
        "indices": means.tolist(),
        "highest": int(np.argmax(means)) + 1,
        "lowest": int(np.argmin(means)) + 1,
        "seasonal_mann_kendall": None
        if tested is None
        else {
            "s": tested.s, "z": tested.z, "p": tested.p, "slope": tested.slope, "ci_low": tested.ci_low,
            "ci_high": tested.ci_high, "variance_factor": factor,
        },
    }  # fmt: skip


def breaks(t: Vector, y: Vector, seed: int, season: Result | None) -> Result:
    """`level`: changes of the level, found one after the other; `slope`: one bend of a straight line; both tested
    against 499 simulated series with the same first-order autocorrelation. `best` is what Schwarz's criterion prefers
    among a constant, a line, the levels and the bent line: only that is to be told. Means of each season are taken out
    first where a season was found. At most 1,000 values, evenly spaced, are looked at."""
    some = np.linspace(0, len(y) - 1, min(len(y), changes.MAX_POINTS)).round().astype(np.intp)
    moments, values = t[some], y[some]
    result: Result = {"level": [], "slope": None, "best": None, "criterion": None, "n": len(values)}
    size = float(np.max(np.abs(values - values.mean()), initial=0.0))
    if len(values) < 10 or size <= 0 or float(np.ptp(moments)) <= 0:
        return result
    scaled = (values - values.mean()) / size
    if season is not None and len(some) == len(y):
        grid = grid_of(t, y, dated=season["unit"] != "step")
        if grid is not None:
            means = np.array(season["indices"]) / size
            scaled = scaled - means[grid.place % season["period"]]
    levels = changes.level_changes(scaled, seed=seed)
    bend = changes.slope_change(moments, scaled, seed=seed)
    places = [0, *(change.place for change in levels), len(scaled)]
    steps = np.concatenate([np.full(b - a, scaled[a:b].mean()) for a, b in pairwise(places)])
    line = np.column_stack([np.ones(len(scaled)), (moments - moments[0]) / float(np.ptp(moments))])
    criterion = {
        "constant": changes.information(scaled - scaled.mean(), 1),
        "line": changes.information(_left(line, scaled), 2),
    }
    if levels:
        criterion["level"] = changes.information(scaled - steps, 1 + 2 * len(levels))
    if bend is not None:
        hinge = np.maximum(0.0, (moments - moments[bend.place]) / float(np.ptp(moments)))
        criterion["slope"] = changes.information(_left(np.column_stack([line, hinge]), scaled), 4)
    mean = float(values.mean())

    def shown(change: changes.Change, shift: float) -> Result:
        return {
            "at": float(moments[change.place]),
            "at_low": float(moments[change.low]),
            "at_high": float(moments[min(change.high, len(moments) - 1)]),
            "value": int(some[change.place]) + 1,
            "f": change.statistic,
            "p": change.p,
            "before": change.before * size + shift,
            "after": change.after * size + shift,
        }

    result["level"] = [shown(change, mean) for change in levels]
    result["slope"] = None if bend is None else shown(bend, 0.0)
    result["criterion"] = {name: value for name, value in criterion.items() if np.isfinite(value)}
    allowed = dict(result["criterion"])
    if bend is not None and bend.p >= changes.LEVEL:
        allowed.pop("slope", None)
    result["best"] = min(allowed, key=lambda name: allowed[name], default=None)
    return result


def _left(design: Vector, values: Vector) -> Vector:
    return np.asarray(values - design @ np.linalg.lstsq(design, values, rcond=None)[0], dtype=np.float64)
