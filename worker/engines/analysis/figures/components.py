"""Principal components: their variances against chance, and rows with columns on the first two."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from worker.engines.analysis.figures.labels import distinct_labels, width
from worker.engines.analysis.figures.points import cloud
from worker.engines.analysis.figures.scales import Scale, scale_of
from worker.engines.analysis.figures.spec import RUST, SKY, Figure, Vector, figure, values
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.wording import listed, number

Result = dict[str, Any]

_ARROWS = 10
_LABEL = 18
_LETTER = 7.0
_WIDTH, _HEIGHT = 480, 340
_REACH = 0.85
_MOST_ROWS = 100_000
_NEAR = 0.06


def principal(table: Table, result: Result) -> Sequence[Figure]:
    """The scree plot, then the biplot."""
    drawn = [_scree(result)]
    if len(result["components"]) > 1:
        drawn.append(_biplot(table, result))
    return drawn


def _scree(result: Result) -> Figure:
    rows = [
        {
            "component": c["component"],
            "share": 100 * c["share"],
            "chance": 100 * c["share_by_chance"],
        }
        for c in result["components"]
    ]
    up = scale_of(
        "share of the variance (%)", np.array([r[key] for r in rows for key in ("share", "chance")]), zero=True
    )
    x = {"field": "component", "type": "ordinal", "title": "component", "axis": {"labelAngle": 0, "grid": False}}
    line = {"type": "line", "color": RUST, "strokeDash": [6, 4], "strokeWidth": 2, "point": {"color": RUST, "size": 40}}
    layers = [
        {
            "data": values(rows),
            "mark": {"type": "bar", "color": SKY, "stroke": "#0B4F73"},
            "encoding": {"x": x, "y": up.channel("share")},
        },
        {"data": values(rows), "mark": line, "encoding": {"x": x, "y": up.channel("chance")}},
    ]
    shares = listed([f"{number(row['share'], 3)} %" for row in rows], 6)
    alt = f"Bars of the variance that each principal component holds: {shares}. A dashed line marks what uncorrelated "
    alt += f"columns reach in 95 % of cases; {result['above_chance']} of the components lie above it."
    return figure("Variance by component (dashed: by chance)", alt, {"layer": layers}, height=260)


def _biplot(table: Table, result: Result) -> Figure:
    columns = result["columns"]
    names = [column["name"] for column in columns]
    first, second = result["components"][:2]
    rows = complete_rows([table[name] for name in names])
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_ROWS)).round().astype(np.intp)]
    x, y = np.zeros(len(rows)), np.zeros(len(rows))
    for column in columns:
        away = (table[column["name"]].floats()[rows] - column["mean"]) / column["scale"]
        x += away * first["weights"][column["name"]]
        y += away * second["weights"][column["name"]]
    order = sorted(
        range(len(names)), key=lambda j: (-(first["loadings"][names[j]] ** 2 + second["loadings"][names[j]] ** 2), j)
    )[:_ARROWS]
    tips = np.array([[component["loadings"][names[j]] for j in order] for component in (first, second)])
    # Arrows show directions; together they are drawn as large as the cloud of rows.
    longest = [float(np.abs(tip).max()) or 1.0 for tip in tips]
    reach = min(float(np.abs(x).max()) / longest[0], float(np.abs(y).max()) / longest[1]) * _REACH
    ends = tips * reach
    names_shown = distinct_labels([names[j] for j in order], _LABEL)
    tips_at, labels = _gathered(ends, names_shown, x, y)
    widths = np.array([_LETTER * width(label) + 12 for label in labels]) / _WIDTH
    titles = [f"component {c['component']} ({number(100 * c['share'], 3)} % of the variance)" for c in (first, second)]
    room = float(np.ptp(np.concatenate([x, ends[0]]))) * (1 + 2 * float(widths.max()))
    across = scale_of(titles[0], x, ends[0], tips_at[0] + np.sign(tips_at[0]) * widths * room)
    up = scale_of(titles[1], y, ends[1] * 1.15)
    points, kind = cloud(x, y, across, up)
    alt = f"{kind} of {len(rows)} rows on the first two principal components, with arrows for "
    alt += f"{listed(names_shown, 10)}: an arrow points to where its column is large, and "
    alt += "arrows that point the same way belong to columns that rise together. "
    alt += f"Component 1: {first['meaning']}; component 2: {second['meaning']}."
    layers = [points, *_arrows(ends, tips_at, labels, across, up)]
    return figure("Rows and columns on the first two components", alt, {"layer": layers}, width=_WIDTH, height=_HEIGHT)


def _gathered(ends: Vector, names: list[str], x: Vector, y: Vector) -> tuple[Vector, list[str]]:
    """Where labels stand and what they say: arrows that end in one place share a label."""
    wide, high = float(np.ptp(x)) or 1.0, float(np.ptp(y)) or 1.0
    groups: list[list[int]] = []
    for i in range(len(names)):
        near = (
            group
            for group in groups
            if abs(ends[0][i] - ends[0][group[0]]) < _NEAR * wide and abs(ends[1][i] - ends[1][group[0]]) < _NEAR * high
        )
        group = next(near, None)
        if group is None:
            groups.append([i])
        else:
            group.append(i)
    first = [group[0] for group in groups]
    return ends[:, first], [listed([names[i] for i in group], 2) for group in groups]


def _arrows(ends: Vector, tips_at: Vector, labels: list[str], across: Scale, up: Scale) -> list[Result]:
    lines = [{"x": 0.0, "y": 0.0, "to_x": float(a), "to_y": float(b)} for a, b in zip(ends[0], ends[1], strict=True)]
    wide, high = across.high - across.low, up.high - up.low
    tips = [
        {"x": float(a), "y": float(b), "angle": float(np.degrees(np.arctan2(a / wide * _WIDTH, b / high * _HEIGHT)))}
        for a, b in zip(ends[0], ends[1], strict=True)
    ]
    at = _spaced(tips_at, up)
    texts = [
        {"x": float(a), "y": b, "label": label, "side": "left" if a >= 0 else "right"}
        for a, b, label in zip(tips_at[0], at, labels, strict=True)
    ]
    place = {"x": across.channel("x"), "y": up.channel("y")}
    layers: list[Result] = [
        {
            "data": values(lines),
            "mark": {"type": "rule", "color": RUST, "strokeWidth": 1.8},
            "encoding": {**place, "x2": {"field": "to_x"}, "y2": {"field": "to_y"}},
        },
        {
            "data": values(tips),
            "mark": {"type": "point", "shape": "triangle", "filled": True, "size": 70, "color": RUST, "opacity": 1},
            "encoding": {**place, "angle": {"field": "angle", "type": "quantitative", "scale": None}},
        },
    ]
    for side, offset in (("left", 7), ("right", -7)):
        mine = [text for text in texts if text["side"] == side]
        for halo in (True, False):
            mark: Result = {"type": "text", "align": side, "dx": offset, "fontSize": 12, "fontWeight": "bold"}
            mark |= {"stroke": "#FFFFFF", "strokeWidth": 4, "color": "#FFFFFF"} if halo else {"color": "#6B2500"}
            layers.append({"data": values(mine), "mark": mark, "encoding": {**place, "text": {"field": "label"}}})
    return layers


def _spaced(ends: Vector, up: Scale) -> list[float]:
    """Heights of the labels, moved apart on either side where arrows end next to each other."""
    least = _NEAR * (up.high - up.low)
    at = [float(b) for b in ends[1]]
    for side in (ends[0] >= 0, ends[0] < 0):
        order = sorted(np.flatnonzero(side).tolist(), key=lambda i: at[i])
        for before, here in pairwise(order):
            at[here] = max(at[here], at[before] + least)
        over = at[order[-1]] - (up.high - least / 2) if order else 0.0
        if over > 0:
            for i in order:
                at[i] -= over
    return at
