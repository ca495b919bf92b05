"""Correlations: a heat map of all pairs, and the strongest pair as points."""

from __future__ import annotations

from typing import Any

import numpy as np

from worker.engines.analysis.figures.labels import distinct_labels
from worker.engines.analysis.figures.points import cloud
from worker.engines.analysis.figures.scales import column_scale
from worker.engines.analysis.figures.spec import Figure, figure, values
from worker.engines.analysis.lazy import load
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.wording import interval, number

Result = dict[str, Any]

_LOOSE = 12
_SHORT = 5
_LISTED = 5
# From one colour through white to the other, equally dark at both ends: safe for colour-blind readers.
_DIVERGING = ["#8C3A00", "#D98B4F", "#F7F7F7", "#5B9BC9", "#0B4477"]


def correlation(table: Table, result: Result) -> list[Figure]:
    """With three columns or more a heat map of Pearson's r first; always the strongest pair."""
    known = [pair for pair in result["pairs"] if pair["pearson"]["r"] is not None]
    if not known:
        return []
    strongest = max(known, key=lambda pair: abs(pair["pearson"]["r"]))
    scatter = _pair(table, strongest)
    return [_heat_map(result, known), scatter] if len(result["columns"]) > 2 else [scatter]


def _pair(table: Table, pair: Result) -> Figure:
    a, b = table[pair["x"]], table[pair["y"]]
    rows = complete_rows([a, b])
    x, y = a.floats()[rows], b.floats()[rows]
    across, up = column_scale(a, x, log=True), column_scale(b, y, log=True)
    layer, called = cloud(x, y, across, up)
    found = pair["pearson"]
    rho = pair["spearman"]["r"]
    alt = (
        f"{called} of {b.name} against {a.name}, {pair['n']:,} rows; across {across.said}, up {up.said}. "
        f"Pearson r = {number(found['r'], 3)} ({interval(found['ci_low'], found['ci_high'])}), "
        f"Spearman ρ = {number(rho, 3)}."
    )
    return figure(f"{b.name} and {a.name}", alt, {"layer": [layer]})


def _heat_map(result: Result, known: list[Result]) -> Figure:
    names = _ordered(result["columns"], known)
    shown = dict(zip(names, distinct_labels(names, 22), strict=True))
    wide = len(names) <= _LOOSE
    cells = []
    for pair in known:
        r = pair["pearson"]["r"]
        # Adding zero takes the sign from what rounds to zero.
        label = f"{round(r, 2) + 0.0:.2f}" if wide else f"{round(r, 1) + 0.0:.1f}".replace("0.", ".")
        cell = {"r": round(r, 4), "label": label.replace("-", "−")}
        cells += [{"x": shown[pair[a]], "y": shown[pair[b]], **cell} for a, b in (("x", "y"), ("y", "x"))]
    order = list(shown.values())
    upright = wide and max(map(len, order)) <= _SHORT
    place = {"x": _nominal("x", order, labelAngle=0 if upright else -50), "y": _nominal("y", order)}
    scale = {"domain": [-1, -0.5, 0, 0.5, 1], "range": _DIVERGING}
    colour = {"field": "r", "type": "quantitative", "title": "Pearson r", "scale": scale}
    ink = {"condition": {"test": "abs(datum.r) > 0.6", "value": "#FFFFFF"}, "value": "#111111"}
    text = {"type": "text", "fontSize": 12 if wide else 9}
    layers = [
        {"mark": {"type": "rect"}, "encoding": {**place, "color": colour}},
        {"mark": text, "encoding": {**place, "text": {"field": "label"}, "color": ink}},
    ]
    foremost = sorted(known, key=lambda pair: -abs(pair["pearson"]["r"]))[:_LISTED]
    told = "; ".join(f"{p['x']} and {p['y']} r = {number(p['pearson']['r'], 3)}, n = {p['n']:,}" for p in foremost)
    alt = (
        f"Heat map of Pearson correlations between {len(names)} columns, like ones next to each other; from −1 "
        f"(brown) over 0 (white) to 1 (blue). The strongest: {told}."
    )
    side = max(220, (46 if wide else 26) * len(names))
    return figure(
        "Correlations", alt, {"data": values(cells), "layer": layers}, width=side, height=max(160, side * 2 // 3)
    )


def _ordered(names: list[str], known: list[Result]) -> list[str]:
    """Columns that go together are next to each other (average linkage on 1 − |r|)."""
    place = {name: i for i, name in enumerate(names)}
    distance = np.ones((len(names), len(names)))
    np.fill_diagonal(distance, 0.0)
    for pair in known:
        i, j = place[pair["x"]], place[pair["y"]]
        # Rounded, so that the last digits of r do not decide between ties.
        distance[i, j] = distance[j, i] = round(1 - abs(pair["pearson"]["r"]), 6)
    hierarchy = load("scipy.cluster.hierarchy")
    condensed = distance[np.triu_indices(len(names), 1)]
    leaves = hierarchy.leaves_list(hierarchy.linkage(condensed, "average", optimal_ordering=True)).tolist()
    # Of the two directions the one that begins with the earlier column.
    if leaves[0] > leaves[-1]:
        leaves.reverse()
    return [names[i] for i in leaves]


def _nominal(field: str, order: list[str], **axis: Any) -> Result:
    return {"field": field, "type": "nominal", "title": None, "sort": order, "axis": {"labelOverlap": False, **axis}}
