"""What a model left over: residuals against fitted values with a smoother, and their quantiles against normal ones."""

from __future__ import annotations

import numpy as np

from worker.engines.analysis.figures.labels import shortened, titled
from worker.engines.analysis.figures.points import cloud, line, smooth
from worker.engines.analysis.figures.scales import scale_of
from worker.engines.analysis.figures.spec import BLUE, GREY, Figure, Vector, figure, values
from worker.engines.analysis.lazy import load
from worker.engines.analysis.wording import number

_FEWEST = 8
_QUANTILES = 240
_OUTERMOST = 50
_NOISE = 1e-12


def checks(response: str, fitted: Vector, left: Vector, sd: float | None) -> list[Figure]:
    """Both figures; none for fewer than eight rows or where the fit leaves no more than rounding."""
    size = float(np.max(np.abs(fitted))) if len(fitted) else 0.0
    if len(left) < _FEWEST or not sd or sd <= _NOISE * size or not np.all(np.isfinite(left)):
        return []
    return [against_fitted(response, fitted, left), quantiles(response, left / sd)]


def against_fitted(response: str, fitted: Vector, left: Vector) -> Figure:
    """Residuals over fitted values: a good model shows neither bend nor funnel."""
    across, up = scale_of(titled(f"fitted {shortened(response, 40)}"), fitted), scale_of("residual", left)
    points, called = cloud(fitted, left, across, up)
    zero = {
        "data": values([{"y": 0}]),
        "mark": {"type": "rule", "color": GREY, "strokeDash": [6, 4], "strokeWidth": 1.5},
        "encoding": {"y": up.channel("y")},
    }
    followed = smooth(fitted, left)
    drawn = [] if followed is None else line(followed[0], {"y": followed[1]}, across, up)
    told = ""
    if followed is not None:
        reach = float(np.max(np.abs(followed[1])))
        told = f" A local smoother stays within {number(reach, 3)} of zero."
    alt = (
        f"{called} of the residuals of {response} against its fitted values, {len(left):,} rows; residuals from "
        f"{number(float(left.min()), 3)} to {number(float(left.max()), 3)}.{told}"
    )
    return figure(f"{response}: residuals and fitted values", alt, {"layer": [points, zero, *drawn]})


def quantiles(response: str, standardised: Vector) -> Figure:
    """Ordered standardised residuals against normal quantiles, with pointwise 95 % limits of the order statistics."""
    special = load("scipy.special")
    ordered = np.sort(standardised)
    n = len(ordered)
    ranks = _ranks(n)
    expected = special.ndtri((ranks - 0.375) / (n + 0.25))
    low = special.ndtri(special.betaincinv(ranks, n - ranks + 1, 0.025))
    high = special.ndtri(special.betaincinv(ranks, n - ranks + 1, 0.975))
    seen = ordered[ranks.astype(np.intp) - 1]
    across, up = scale_of("normal quantile", expected), scale_of("standardised residual", seen, low, high)
    rows = [{"x": a, "y": b} for a, b in zip(across.shown(expected), up.shown(seen), strict=True)]
    mark = {"type": "point", "filled": True, "size": 32, "opacity": 0.8, "color": BLUE}
    dots = {"data": values(rows), "mark": mark, "encoding": {"x": across.channel("x"), "y": up.channel("y")}}
    limits = line(expected, {"y": expected, "low": low, "high": high}, across, up, strokeDash=[6, 4], strokeWidth=1.5)
    outside = int(np.count_nonzero((seen < low) | (seen > high)))
    thinned = f" ({len(ranks)} of them drawn, all at the ends)" if len(ranks) < n else ""
    alt = (
        f"Normal quantile plot of {n:,} standardised residuals of {response}{thinned}: {outside} of the points drawn "
        f"lie outside the pointwise 95 % limits of a normal sample; the outermost are {number(float(ordered[0]), 3)} "
        f"and {number(float(ordered[-1]), 3)}."
    )
    return figure(f"{response}: are the residuals normal?", alt, {"layer": [*limits, dots]}, width=360, height=300)


def _ranks(n: int) -> Vector:
    """All ranks of a small sample; of a large one both ends and evenly spaced ones between."""
    if n <= _QUANTILES:
        return np.arange(1, n + 1, dtype=np.float64)
    between = np.linspace(_OUTERMOST, n - _OUTERMOST, _QUANTILES - 2 * _OUTERMOST).round()
    ends = (np.arange(1, _OUTERMOST + 1), np.arange(n - _OUTERMOST + 1, n + 1))
    return np.unique(np.concatenate([ends[0], between, ends[1]])).astype(np.float64)
