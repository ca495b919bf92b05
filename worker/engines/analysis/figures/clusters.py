"""Clusters on the plane where the rows differ most, and how good each number of clusters is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from worker.engines.analysis.figures.labels import titled
from worker.engines.analysis.figures.scales import scale_of
from worker.engines.analysis.figures.spec import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    RUST,
    SKY,
    Figure,
    Vector,
    figure,
    values,
)
from worker.engines.analysis.numerics.pca import components
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.numeric_rows import centre_and_spread
from worker.engines.analysis.wording import listed, number

Result = dict[str, Any]

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY, GREY, "#8C6D00")
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
_LEAST_FOR_HULL = 3


def clusters(table: Table, result: Result) -> Sequence[Figure]:
    """Rows by cluster, then silhouette and gap by number of clusters."""
    drawn = [_rows(table, result)] if result["k"] > 1 else []
    if len(result["curve"]) > 2:
        drawn += [_silhouettes(result), _gaps(result)]
    return drawn


def _rows(table: Table, result: Result) -> Figure:
    names = result["columns"]
    rows = np.array(result["labelled_rows"], dtype=np.intp) - 1
    labels = np.array(result["labels"], dtype=np.intp)
    own = np.column_stack([table[name].floats()[rows] for name in names])
    if len(names) == 1:
        x, y = own[:, 0], labels.astype(np.float64)
        across, up = titled(names[0], table[names[0]].unit), "cluster"
        where = f"along {names[0]}"
    elif len(names) == 2:
        x, y = own[:, 0], own[:, 1]
        across, up = (titled(name, table[name].unit) for name in names)
        where = f"in {names[0]} and {names[1]}"
    else:
        mean, spread = centre_and_spread(own)
        scale = np.where(spread > 0, spread, 1.0) if result["standardised"] else np.ones_like(spread)
        centred = (own - mean) / scale
        found = components(centred)
        x, y = (np.einsum("ij,j->i", centred, direction) for direction in found.directions[:2])
        shares = found.variances / found.variances.sum()
        across, up = (f"component {i + 1} ({number(100 * shares[i], 3)} % of the variance)" for i in range(2))
        where = f"on the first two principal components of {len(names)} columns"
    horizontal, vertical = scale_of(across, x), scale_of(up, y)
    used = sorted(set(labels.tolist()))
    domain = [str(c) for c in used]
    colour = {
        "field": "cluster",
        "type": "nominal",
        "title": "cluster",
        "sort": domain,
        "scale": {"domain": domain, "range": [_COLOURS[(c - 1) % len(_COLOURS)] for c in used]},
    }
    shape = {**colour, "scale": {"domain": domain, "range": [_SHAPES[(c - 1) % len(_SHAPES)] for c in used]}}
    points = [
        {"x": a, "y": b, "cluster": str(c)}
        for a, b, c in zip(horizontal.shown(x), vertical.shown(y), labels.tolist(), strict=True)
    ]
    place = {"x": horizontal.channel("x"), "y": vertical.channel("y")}
    place["x"]["axis"] = {**place["x"]["axis"], "tickCount": 7}
    if len(names) == 1:
        place["y"]["axis"] = {"values": used, "format": "d"}
    hulls, centres = [], []
    for c in used:
        mine = labels == c
        centres.append({"x": float(x[mine].mean()), "y": float(y[mine].mean()), "label": str(c)})
        if len(names) > 1 and int(mine.sum()) >= _LEAST_FOR_HULL:
            outline = _hull(np.column_stack([x[mine], y[mine]]))
            hulls += [{"x": a, "y": b, "cluster": str(c), "order": i} for i, (a, b) in enumerate(outline)]
    outline_mark = {"type": "line", "interpolate": "linear-closed", "strokeWidth": 1.2, "opacity": 0.7}
    layers = [
        {
            "data": values(hulls),
            "mark": outline_mark,
            "encoding": {**place, "order": {"field": "order"}, "color": colour},
        },
        {
            "data": values(points),
            "mark": {"type": "point", "filled": True, "size": 38 if len(points) < 500 else 18, "opacity": 0.65},
            "encoding": {**place, "color": colour, "shape": shape},
        },
        *_numbered(centres, place),
    ]
    sizes = listed([f"{c['cluster']} with {c['size']}" for c in result["clusters"]], 10)
    alt = (
        f"Scatter plot of {len(points)} rows {where}, coloured and shaped by cluster; the {result['k']} clusters have "
    )
    alt += f"these numbers of rows: {sizes}. Numbers stand at the clusters' middles."
    if len(names) > 1:
        alt += " Lines go around all rows of a cluster."
    return figure(f"{result['k']} clusters of rows", alt, {"layer": layers[len(hulls) == 0 :]})


def _numbered(centres: list[Result], place: Result) -> list[Result]:
    disc = {"type": "point", "filled": True, "size": 330, "opacity": 0.92, "color": "#FFFFFF", "stroke": "#222222"}
    text = {"type": "text", "fontSize": 13, "fontWeight": "bold", "color": "#111111"}
    return [
        {"data": values(centres), "mark": disc, "encoding": place},
        {"data": values(centres), "mark": text, "encoding": {**place, "text": {"field": "label"}}},
    ]


def _hull(points: Vector) -> list[tuple[float, float]]:
    """The convex hull, counter-clockwise (Andrew's monotone chain)."""
    ordered = sorted({(float(a), float(b)) for a, b in points})
    if len(ordered) < _LEAST_FOR_HULL:
        return ordered

    def chain(sequence: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for point in sequence:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return chain(ordered) + chain(ordered[::-1])


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _silhouettes(result: Result) -> Figure:
    curve = [point for point in result["curve"] if point["silhouette"] is not None]
    rows = [{"k": point["k"], "value": point["silhouette"]} for point in curve]
    by_chance = result["silhouette_by_chance"]
    best = max(curve, key=lambda point: (round(point["silhouette"], 9), -point["k"]))
    numbers = np.array([row["value"] for row in rows] + ([by_chance] if by_chance is not None else []))
    up = scale_of("mean silhouette", numbers, zero=True)
    layers = _curve(rows, up)
    alt = f"Line of the mean silhouette by number of clusters, {curve[0]['k']} to {curve[-1]['k']}; it is largest, "
    alt += f"{number(best['silhouette'], 3)}, at {best['k']}."
    if by_chance is not None:
        mark = {"type": "rule", "color": GREY, "strokeDash": [5, 4], "strokeWidth": 1.5}
        line = [{"value": by_chance}]
        layers.append({"data": values(line), "mark": mark, "encoding": {"y": up.channel("value")}})
        alt += f" A dashed line marks {number(by_chance, 3)}, the largest reached without any structure."
    return figure("Silhouette by number of clusters (dashed: by chance)", alt, {"layer": layers}, height=220)


def _gaps(result: Result) -> Figure:
    rows = [
        {"k": p["k"], "value": p["gap"], "low": p["gap"] - p["gap_std_error"], "high": p["gap"] + p["gap_std_error"]}
        for p in result["curve"]
    ]
    up = scale_of("gap", np.array([end for row in rows for end in (row["low"], row["high"])]))
    bars = {
        "data": values(rows),
        "mark": {"type": "rule", "color": BLUE, "strokeWidth": 1.5},
        "encoding": {"x": _count(), "y": up.channel("low", title="gap"), "y2": {"field": "high"}},
    }
    first, last = rows[0], rows[-1]
    largest = max(rows, key=lambda row: row["value"])
    alt = f"Line of the gap statistic by number of clusters with one standard error: {number(first['value'], 3)} at 1, "
    alt += f"{number(last['value'], 3)} at {last['k']}, largest at {largest['k']}."
    return figure("Gap statistic by number of clusters", alt, {"layer": [*_curve(rows, up), bars]}, height=220)


def _curve(rows: list[Result], up: Any) -> list[Result]:
    mark = {"type": "line", "color": RUST, "strokeWidth": 2, "point": {"color": RUST, "size": 45}}
    return [{"data": values(rows), "mark": mark, "encoding": {"x": _count(), "y": up.channel("value")}}]


def _count() -> Result:
    return {"field": "k", "type": "ordinal", "title": "number of clusters", "axis": {"labelAngle": 0, "grid": False}}
