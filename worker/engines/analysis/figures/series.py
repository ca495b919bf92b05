"""A number over time: the series, its Theil–Sen line with the band of slopes, and where its level changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from worker.engines.analysis.figures.points import line
from worker.engines.analysis.figures.scales import Scale, column_scale, numbers_of, scale_of
from worker.engines.analysis.figures.spec import BLUE, MAX_POINTS, Figure, Vector, figure, values
from worker.engines.analysis.findings.calendar_words import slope_unit
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.wording import interval, number, p_value

Result = dict[str, Any]
Layer = dict[str, Any]

_BINS = 400
_DOTS = 200
_TESTS = {
    "mann_kendall": "Mann–Kendall",
    "hamed_rao": "Mann–Kendall corrected for autocorrelation",
    "seasonal_mann_kendall": "seasonal Mann–Kendall",
}


def trend(table: Table, result: Result) -> Figure:
    """Values in order of time (without a time column: of the rows)."""
    response = table[result["response"]]
    time = None if result["time"] is None else table[result["time"]]
    rows = complete_rows([response] if time is None else [response, time])
    t = rows.astype(np.float64) + 1 if time is None else numbers_of(time)[rows]
    order = np.argsort(t, kind="stable")
    t, y = t[order], response.floats()[rows][order]
    across = scale_of("row", t, whole=True) if time is None else column_scale(time, t)
    ends = np.array([t[0], t[-1]])
    read = _read(result, t, y)
    fit = read["intercept"] + read["slope"] * ends
    up = column_scale(response, y, fit)
    layers, drawn = _series(t, y, across, up)
    layers += _line(t, y, read, across, up)
    name = "the order of the rows" if time is None else time.name
    per, times = slope_unit(result)
    test = f"{_TESTS[result['preferred']]} {p_value(read['p'])}"
    alt = (
        f"{response.name} over {name}, {len(y):,} values{drawn}, with the Theil–Sen line of slope "
        f"{number(read['slope'] * times)} per {per} and the band of slopes in its "
        f"{interval(read['ci_low'] * times, read['ci_high'] * times)} ({test}); "
        f"across {across.title}, up {up.said}."
    )
    changes = _changes(result, across)
    if changes:
        layers.append(_rules(changes, across))
        alt += f" Dotted lines mark {len(changes)} change{'s' if len(changes) > 1 else ''} of level."
    return figure(f"{response.name} over {name}", alt, {"layer": layers}, width=560)


def _read(result: Result, t: Vector, y: Vector) -> Result:
    """Slope, interval, p and intercept of the test that is to be read."""
    if result["preferred"] == "hamed_rao":
        corrected = result["corrected"]
        return {**result, **{key: corrected[key] for key in ("p", "ci_low", "ci_high")}}
    if result["preferred"] == "seasonal_mann_kendall":
        seasonal = result["seasonality"]["found"]["seasonal_mann_kendall"]
        return {**result, **seasonal, "intercept": float(np.median(y - seasonal["slope"] * t))}
    return result


def _series(t: Vector, y: Vector, across: Scale, up: Scale) -> tuple[list[Layer], str]:
    x = {"x": across.channel("x")}
    if len(t) <= MAX_POINTS:
        rows = [{"x": a, "y": b} for a, b in zip(across.shown(t), up.shown(y), strict=True)]
        mark: Layer = {"type": "line", "color": BLUE, "strokeWidth": 1.3}
        if len(t) <= _DOTS:
            mark["point"] = {"size": 26, "color": BLUE, "filled": True}
        return [{"data": values(rows), "mark": mark, "encoding": {**x, "y": up.channel("y")}}], ""
    edges = np.linspace(t[0], t[-1], _BINS + 1)
    places = np.clip(np.searchsorted(edges, t, side="right") - 1, 0, _BINS - 1)
    starts = np.searchsorted(places, np.arange(_BINS + 1))
    used = [k for k in range(_BINS) if starts[k + 1] > starts[k]]
    marks = np.array([np.quantile(y[starts[k] : starts[k + 1]], [0.1, 0.5, 0.9]) for k in used])
    centres = across.shown((edges[:-1] + edges[1:])[used] / 2)
    low, middle, high = (up.shown(marks[:, column]) for column in range(3))
    rows = [{"x": a, "low": b, "y": c, "high": d} for a, b, c, d in zip(centres, low, middle, high, strict=True)]
    data = values(rows)
    band = {"type": "area", "color": BLUE, "opacity": 0.25}
    curve = {"type": "line", "color": BLUE, "strokeWidth": 1.3}
    layers = [
        {"data": data, "mark": band, "encoding": {**x, "y": up.channel("low"), "y2": {"field": "high"}}},
        {"data": data, "mark": curve, "encoding": {**x, "y": up.channel("y")}},
    ]
    return layers, f" in {len(used)} stretches of time (median, shaded the middle 80 %)"


def _line(t: Vector, y: Vector, result: Result, across: Scale, up: Scale) -> list[Layer]:
    """The line, and between the lines of the interval's ends, each through the middle of the data."""
    at = np.linspace(t[0], t[-1], 41)
    drawn = {"y": result["intercept"] + result["slope"] * at}
    if result["ci_low"] is not None and result["ci_high"] is not None:
        ends = [float(np.median(y - slope * t)) + slope * at for slope in (result["ci_low"], result["ci_high"])]
        drawn |= {"low": np.minimum(*ends), "high": np.maximum(*ends)}
    return line(at, drawn, across, up, strokeDash=[9, 4])


def _changes(result: Result, across: Scale) -> list[float]:
    """Times of the change points, in the time's own numbers."""
    found = []
    for item in result.get("change_points") or []:
        at = item.get("time") if isinstance(item, dict) else None
        if isinstance(at, int | float) and across.low < at < across.high:
            found.append(float(at))
    return found


def _rules(changes: list[float], across: Scale) -> Layer:
    rows = [{"x": at} for at in across.shown(np.array([*changes, across.low, across.high]))[:-2]]
    mark = {"type": "rule", "color": "#222222", "strokeDash": [2, 3], "strokeWidth": 2}
    return {"data": values(rows), "mark": mark, "encoding": {"x": across.channel("x")}}
