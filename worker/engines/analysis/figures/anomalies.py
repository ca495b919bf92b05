"""Rows that stand out, marked among the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.figures.points import cloud
from worker.engines.analysis.figures.scales import Scale, column_scale, numbers_of, scale_of
from worker.engines.analysis.figures.spec import RED, SKY, Figure, Vector, figure, values
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.wording import listed

Result = dict[str, Any]
Rows = npt.NDArray[np.intp]

_LABELLED = 8
_WIDTH, _HEIGHT = 480, 300
_LETTER, _LINE = 8.5, 15
"""Width of a digit of a label and the height of its line, in pixels."""

_LINE_ROWS = 2_000
_MOST_LINES = 3


def anomalies(table: Table, result: Result) -> Sequence[Figure]:
    """Over time, column by column, where a time was given, else in the two columns that push most.

    A single column is drawn along the order of the rows.
    """
    standing = [item for item in result["anomalies"] if item["stands_out"]]
    items = standing or result["anomalies"]
    what = "stand out" if standing or not items else "lie farthest out, none of which stands out"
    names = [column["name"] for column in result["columns"]]
    pushing = Counter(part["column"] for item in items for part in item["pushed_by"][:2])
    ranked = sorted(names, key=lambda name: (-pushing[name], names.index(name)))
    rows = complete_rows([table[name] for name in names])
    if result["time"] is not None:
        column = table[result["time"]]
        moments = numbers_of(column)
        rows = rows[np.isfinite(moments[rows])]
        if len(rows) < 2:
            return []
        across = column_scale(column, moments[rows])
        drawn = []
        for name in [name for name in ranked if pushing[name]][:_MOST_LINES] or ranked[:1]:
            own = [item["row"] - 1 for item in items if name in [part["column"] for part in item["pushed_by"][:2]]]
            marked = np.array([row for row in own if np.isfinite(moments[row])], dtype=np.intp)
            drawn.append(_drawn(table, name, rows, marked, moments, across, over=column.name, what=what, joined=True))
        return drawn
    marked = np.array([item["row"] - 1 for item in items], dtype=np.intp)
    if len(ranked) > 1:
        x = table[ranked[1]].floats()
        across = column_scale(table[ranked[1]], x[rows])
        return [_drawn(table, ranked[0], rows, marked, x, across, over=ranked[1], what=what, joined=False)]
    places = np.arange(1, table.rows + 1, dtype=np.float64)
    across = scale_of("row", places[rows], whole=True)
    return [_drawn(table, ranked[0], rows, marked, places, across, over="row", what=what, joined=False)]


def _apart(points: Sequence[Result], across: Scale, up: Scale) -> list[Result]:
    """Those of the points whose labels stand clear of the ones before them; the text beside the figure has them all."""
    kept: list[Result] = []
    taken: list[tuple[float, float, float]] = []
    for point in points:
        x, y = across.part(point["x"]) * _WIDTH, up.part(point["y"]) * _HEIGHT
        half = _LETTER * len(point["label"]) / 2
        if all(abs(x - a) > half + b or abs(y - c) > _LINE for a, b, c in taken):
            kept.append(point)
            taken.append((x, half, y))
    return kept


def _drawn(
    table: Table, name: str, rows: Rows, marked: Rows, x: Vector, across: Scale, *, over: str, what: str, joined: bool
) -> Figure:
    y = table[name].floats()
    up = column_scale(table[name], y[rows])
    plain = np.setdiff1d(rows, marked)
    layers: list[Result] = []
    kind = "Scatter plot"
    if joined:
        order = rows[np.argsort(x[rows], kind="stable")]
        order = order[np.linspace(0, len(order) - 1, min(len(order), _LINE_ROWS)).round().astype(np.intp)]
        line = [{"x": a, "y": b} for a, b in zip(across.shown(x[order]), up.shown(y[order]), strict=True)]
        mark = {"type": "line", "color": SKY, "strokeWidth": 1.2}
        layers.append(
            {"data": values(line), "mark": mark, "encoding": {"x": across.channel("x"), "y": up.channel("y")}}
        )
        kind = "Line"
    elif len(plain):
        layer, kind = cloud(x[plain], y[plain], across, up)
        layers.append(layer)
    points = [
        {"x": a, "y": b, "label": str(int(row) + 1)}
        for a, b, row in zip(across.shown(x[marked]), up.shown(y[marked]), marked.tolist(), strict=True)
    ]
    place = {"x": across.channel("x"), "y": up.channel("y")}
    if points:
        mark = {"type": "point", "shape": "diamond", "filled": True, "size": 110, "color": RED, "opacity": 1}
        layers.append({"data": values(points), "mark": mark | {"stroke": "#222222"}, "encoding": place})
        for halo in (True, False):
            text: Result = {"type": "text", "dy": -13, "fontSize": 12, "fontWeight": "bold", "clip": False}
            text |= {"stroke": "#FFFFFF", "strokeWidth": 4, "color": "#FFFFFF"} if halo else {"color": "#7A2E00"}
            named = values(_apart(points[:_LABELLED], across, up))
            layers.append({"data": named, "mark": text, "encoding": {**place, "text": {"field": "label"}}})
    told = listed([point["label"] for point in points], _LABELLED)
    said = f"Diamonds mark the rows that {what}, by number: {told}." if points else "No row is marked."
    alt = f"{kind} of {name} against {over} for {len(rows)} rows. {said}"
    title = f"Rows that {what.split(',')[0]}" if points else "No row stands out"
    return figure(f"{title}: {name} by {over}", alt, {"layer": layers})
