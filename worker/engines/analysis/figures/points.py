"""Clouds of points: one by one while they can be told apart, counted in fields beyond; and lines through them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from worker.engines.analysis.figures.scales import Scale
from worker.engines.analysis.figures.spec import BLUE, MAX_POINTS, RUST, Vector, values

Layer = dict[str, Any]

_ACROSS, _UP = 48, 32
_SMOOTH_AT = 25
_SPAN = 0.67
_SMOOTH_MOST = 1_000


def cloud(x: Vector, y: Vector, across: Scale, up: Scale) -> tuple[Layer, str]:
    """The layer of the points (x, y), and how it is called in words."""
    if len(x) <= MAX_POINTS:
        rows = [{"x": a, "y": b} for a, b in zip(across.shown(x), up.shown(y), strict=True)]
        mark = {"type": "point", "filled": True, "size": 40 if len(x) < 500 else 20, "opacity": 0.6, "color": BLUE}
        layer = {"data": values(rows), "mark": mark, "encoding": {"x": across.channel("x"), "y": up.channel("y")}}
        return layer, "Scatter plot"
    return _fields(x, y, across, up), "Two-dimensional histogram (darker fields hold more rows)"


def _fields(x: Vector, y: Vector, across: Scale, up: Scale) -> Layer:
    a = across.edges(_ACROSS, float(x.min()), float(x.max()) if x.max() > x.min() else float(x.min()) + 1)
    b = up.edges(_UP, float(y.min()), float(y.max()) if y.max() > y.min() else float(y.min()) + 1)
    column = np.clip(np.searchsorted(a, x, side="right") - 1, 0, _ACROSS - 1)
    row = np.clip(np.searchsorted(b, y, side="right") - 1, 0, _UP - 1)
    counts = np.bincount(column * _UP + row, minlength=_ACROSS * _UP).reshape(_ACROSS, _UP)
    left, lower = across.shown(a), up.shown(b)
    rows = [
        {"x": left[i], "x2": left[i + 1], "y": lower[j], "y2": lower[j + 1], "rows": int(counts[i, j])}
        for i, j in zip(*(place.tolist() for place in np.nonzero(counts)), strict=True)
    ]
    colour = {
        "field": "rows",
        "type": "quantitative",
        "title": "rows",
        "scale": {"type": "log", "range": ["#DCE9F5", "#08306B"], "domain": [1, max(2, int(counts.max()))]},
        "legend": {"format": ",d", "tickCount": 4},
    }
    place = {"x": across.channel("x"), "x2": {"field": "x2"}, "y": up.channel("y"), "y2": {"field": "y2"}}
    return {"data": values(rows), "mark": {"type": "rect"}, "encoding": {**place, "color": colour}}


def line(x: Vector, columns: Mapping[str, Vector], across: Scale, up: Scale, **style: Any) -> list[Layer]:
    """A line through `columns["y"]`, with the band between `low` and `high` where they are given.

    What lies beyond a logarithmic axis (below zero) is left out.
    """
    kept = {name: np.clip(column, up.low, up.high) if up.log else column for name, column in columns.items()}
    at = across.shown(x)
    shown = {name: up.shown(column) for name, column in kept.items()}
    fine = np.logical_and.reduce([np.isfinite(column) for column in kept.values()])
    rows = [{"x": at[i], **{name: column[i] for name, column in shown.items()}} for i in np.flatnonzero(fine).tolist()]
    layers: list[Layer] = []
    place = across.channel("x")
    if "low" in kept:
        band = {"type": "area", "opacity": 0.18, "color": RUST, "clip": True}
        limits = {"x": place, "y": up.channel("low"), "y2": {"field": "high"}}
        layers.append({"data": values(rows), "mark": band, "encoding": limits})
    mark = {"type": "line", "color": RUST, "strokeWidth": 2.5, "clip": True, **style}
    layers.append({"data": values(rows), "mark": mark, "encoding": {"x": place, "y": up.channel("y")}})
    return layers


def smooth(x: Vector, y: Vector) -> tuple[Vector, Vector] | None:
    """A local straight-line smoother (tricube weights over two thirds of the points, Cleveland 1979), at 25 places.

    None where x has too few different values to follow.
    """
    if len(x) < 8 or len(np.unique(x)) < 5:
        return None
    order = np.argsort(x, kind="stable")
    if len(order) > _SMOOTH_MOST:
        order = order[np.linspace(0, len(order) - 1, _SMOOTH_MOST).round().astype(np.intp)]
    a, b = x[order], y[order]
    nearest = max(4, int(_SPAN * len(a)))
    places = np.linspace(float(a[0]), float(a[-1]), _SMOOTH_AT)
    levels = np.empty(_SMOOTH_AT)
    for place, at in enumerate(places.tolist()):
        distance = np.abs(a - at)
        reach = float(np.partition(distance, nearest - 1)[nearest - 1]) or 1.0
        weight = np.clip(1 - (distance / reach) ** 3, 0.0, None) ** 3
        total = float(weight.sum())
        if total <= 0:
            return None
        centre = float((weight * a).sum()) / total
        level = float((weight * b).sum()) / total
        spread = float((weight * (a - centre) ** 2).sum())
        slope = float((weight * (a - centre) * (b - level)).sum()) / spread if spread > 0 else 0.0
        levels[place] = level + slope * (at - centre)
    return places, levels
