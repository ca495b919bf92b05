"""The distribution of a column: counts in bins with a normal curve, quartiles, and every value while they are few."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from worker.engines.analysis.figures.categories import zero_one
from worker.engines.analysis.figures.labels import titled
from worker.engines.analysis.figures.scales import Scale, column_scale
from worker.engines.analysis.figures.spec import BLUE, GREY, RUST, Figure, Vector, figure, values
from worker.engines.analysis.table import Column, Table
from worker.engines.analysis.wording import listed, number, plural

Result = dict[str, Any]
Layer = dict[str, Any]

MOST_COLUMNS = 4
_MOST_BINS = 60
_FEWEST_BINS = 5
_EACH = 20
"""Whole numbers over a shorter span have a bin each."""
_RUG = 150
_CURVE_POINTS = 80
_BOX_ROOM = 1.22
_FEW_VALUES, _REPEATED = 6, 3
_BAR_ROOM = 1.1


def histograms(table: Table, entries: list[Result]) -> list[Figure]:
    """Those of the first few numeric columns among `entries` that measure something."""
    columns = [table[entry["name"]] for entry in entries]
    measured = [column for column in columns if column.numeric and not column.identifier and not zero_one(column)]
    drawn = (histogram(column) for column in measured)
    return [made for made in drawn if made is not None][:MOST_COLUMNS]


def histogram(column: Column) -> Figure | None:
    """Counts in bins of equal width (Freedman and Diaconis's rule, between 5 and 60 bins), with the normal curve of
    the same mean and standard deviation and, above, the box of the quartiles. Whole numbers have bins between them.
    Six different values or fewer that repeat have a bar each and no curve: they are settings, not a spread.

    On a logarithmic axis the bins are equally wide as drawn and the curve is normal in the logarithm. None for fewer
    than two different values.
    """
    numbers = np.sort(column.floats()[column.present()])
    if len(numbers) < 2 or numbers[0] == numbers[-1] or not math.isfinite(numbers[-1] - numbers[0]):
        return None
    if column.distinct <= _FEW_VALUES and len(numbers) >= _REPEATED * column.distinct:
        return _each_value(column, numbers)
    across = column_scale(column, numbers, log=True)
    drawn = np.log(numbers) if across.log else numbers
    edges = across.edges(_bin_count(drawn), float(numbers[0]), float(numbers[-1]))
    if across.whole and not across.log:
        edges = _whole_edges(numbers, len(edges) - 1)
        across = column_scale(column, numbers, edges)
    places = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1)
    width = float(np.log(edges[1] / edges[0]) if across.log else edges[1] - edges[0])
    curve = _normal(drawn, float(drawn.mean()), float(drawn.std(ddof=1)), width)
    # The box stands above the bars and above the curve.
    up = Scale("rows", 0.0, max(float(counts.max()), float(curve[1].max())) * _BOX_ROOM, whole=True)
    layers = [_bars(counts, edges, across, up), _curve(curve, across, up)]
    layers += _box(numbers, across, up)
    if len(numbers) <= _RUG:
        layers.append(_rug(numbers, across))
    low, q1, median, q3, high = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]).tolist()
    shape = "the logarithm of the data" if across.log else "the data"
    alt = (
        f"Histogram of {column.name}, {len(numbers):,} values from {number(low)} to {number(high)} in {len(counts)} "
        f"bins; across {across.said}, up rows. Mean {number(float(numbers.mean()))}, median {number(median)}, middle "
        f"half {number(q1)} to {number(q3)} (box above). The dashed line is the normal curve with mean and standard "
        f"deviation of {shape}."
    )
    return figure(f"Distribution of {column.name}", alt, {"layer": layers})


def _each_value(column: Column, numbers: Vector) -> Figure:
    """A bar for each value, in order of size and evenly spaced, with its count above."""
    found, counts = np.unique(numbers, return_counts=True)
    order = [number(value, 10) for value in found.tolist()]
    rows = [{"value": text, "count": count} for text, count in zip(order, counts.tolist(), strict=True)]
    title = titled(column.name, column.unit)
    x = {"field": "value", "type": "nominal", "title": title, "sort": order, "axis": {"labelAngle": 0}}
    up = Scale("rows", 0.0, float(counts.max()) * _BAR_ROOM, whole=True)
    bars = {"mark": {"type": "bar", "color": BLUE, "opacity": 0.75}, "encoding": {"x": x, "y": up.channel("count")}}
    text = {"type": "text", "baseline": "bottom", "dy": -4, "fontSize": 12}
    written = {"mark": text, "encoding": {"x": x, "y": up.channel("count"), "text": {"field": "count"}}}
    told = listed([f"{value} ({plural(count, 'row')})" for value, count in zip(order, counts.tolist(), strict=True)])
    alt = (
        f"Bars: how many of {len(numbers):,} rows have each value of {column.name}; across {title}, up rows: {told}. "
        f"Mean {number(float(numbers.mean()))}, median {number(float(np.median(numbers)))}."
    )
    return figure(f"Distribution of {column.name}", alt, {"data": values(rows), "layer": [bars, written]})


def _bin_count(drawn: Vector) -> int:
    q1, q3 = np.quantile(drawn, [0.25, 0.75]).tolist()
    width = 2 * (q3 - q1) / len(drawn) ** (1 / 3)
    wanted = math.ceil((drawn[-1] - drawn[0]) / width) if width > 0 else 10
    return max(_FEWEST_BINS, min(_MOST_BINS, wanted))


def _whole_edges(numbers: Vector, wanted: int) -> Vector:
    """Borders half-way between whole numbers, so that every bin holds as many of them: others show gaps that are not
    in the data."""
    low, high = float(numbers[0]), float(numbers[-1])
    step = max(1.0, math.ceil((high - low + 1) / max(wanted, _FEWEST_BINS)))
    # Few different values have a bin each.
    step = 1.0 if high - low < _EACH else step
    bins = math.ceil((high - low + 1) / step)
    return np.asarray(low - 0.5 + step * np.arange(bins + 1), dtype=np.float64)


def _bars(counts: Any, edges: Vector, across: Scale, up: Scale) -> Layer:
    ends = across.shown(edges)
    rows = [{"from": ends[i], "to": ends[i + 1], "count": count} for i, count in enumerate(counts.tolist())]
    place = {"x": across.channel("from"), "x2": {"field": "to"}, "y": up.channel("count"), "y2": {"datum": 0}}
    mark = {"type": "rect", "color": BLUE, "opacity": 0.75, "stroke": "#FFFFFF", "strokeWidth": 1}
    return {"data": values(rows), "mark": mark, "encoding": place}


def _normal(drawn: Vector, mean: float, sd: float, width: float) -> tuple[Vector, Vector]:
    """Places and expected counts of a bin of that width there."""
    at = np.linspace(drawn[0], drawn[-1], _CURVE_POINTS)
    density = np.exp(-(((at - mean) / sd) ** 2) / 2) / (sd * math.sqrt(2 * math.pi))
    return at, density * len(drawn) * width


def _curve(curve: tuple[Vector, Vector], across: Scale, up: Scale) -> Layer:
    at, expected = curve
    x = across.shown(np.exp(at) if across.log else at)
    rows = [{"from": a, "count": round(b, 4)} for a, b in zip(x, expected.tolist(), strict=True)]
    mark = {"type": "line", "color": RUST, "strokeWidth": 2, "strokeDash": [7, 4], "clip": True}
    place = {"x": across.channel("from"), "y": up.channel("count")}
    return {"data": values(rows), "mark": mark, "encoding": place}


def _box(numbers: Vector, across: Scale, up: Scale) -> list[Layer]:
    """Quartiles, and whiskers to the outermost values within one and a half interquartile ranges (Tukey)."""
    q1, median, q3 = np.quantile(numbers, [0.25, 0.5, 0.75])
    reach = 1.5 * (q3 - q1)
    inside = numbers[(numbers >= q1 - reach) & (numbers <= q3 + reach)]
    marks = np.array([inside[0], q1, median, q3, inside[-1]])
    names = ("low", "q1", "median", "q3", "high")
    row = {**dict(zip(names, across.shown(marks), strict=True)), "at": round(up.high * 0.93, 6)}
    data, y = values([row]), up.channel("at")
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": "#222222", "strokeWidth": 1.5},
            "encoding": {"x": across.channel("low"), "x2": {"field": "high"}, "y": y},
        },
        {
            "data": data,
            "mark": {"type": "bar", "height": 16, "color": "#D8D8D8", "stroke": "#222222", "strokeWidth": 1.2},
            "encoding": {"x": across.channel("q1"), "x2": {"field": "q3"}, "y": y},
        },
        {
            "data": data,
            "mark": {"type": "tick", "orient": "vertical", "size": 16, "thickness": 3, "color": "#222222"},
            "encoding": {"x": across.channel("median"), "y": y},
        },
    ]


def _rug(numbers: Vector, across: Scale) -> Layer:
    rows = [{"from": value} for value in across.shown(numbers)]
    mark = {"type": "tick", "orient": "vertical", "size": 9, "thickness": 1, "color": GREY, "opacity": 0.8}
    bottom = {"value": {"expr": "height - 5"}}
    return {"data": values(rows), "mark": mark, "encoding": {"x": across.channel("from"), "y": bottom}}
