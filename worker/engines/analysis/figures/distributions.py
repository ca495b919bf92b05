"""Figures of distributions: histogram, groups with intervals, counts."""

from __future__ import annotations

import math
from typing import Any

from worker.engines.analysis.figures.spec import BLUE, GREY, Figure, axis, figure, thinned, values
from worker.engines.analysis.numerics.sums import summarise
from worker.engines.analysis.table import Column, Table, complete_rows
from worker.engines.analysis.wording import number

Result = dict[str, Any]

_MOST_BINS = 60


def histogram(column: Column) -> Figure | None:
    """Counts in bins of equal width (Freedman and Diaconis's rule, between 5 and 60 bins)."""
    numbers = sorted(float(cell) for cell in column.cells if cell is not None)
    if len(numbers) < 2 or numbers[0] == numbers[-1]:
        return None
    summary = summarise(column.cells)
    low, q1, _, q3, high = summary.quantiles
    width = 2 * (q3 - q1) / len(numbers) ** (1 / 3)
    bins = max(5, min(_MOST_BINS, math.ceil((high - low) / width) if width > 0 else 10))
    step = (high - low) / bins
    counts = [0] * bins
    for value in numbers:
        counts[min(bins - 1, int((value - low) / step))] += 1
    rows = [{"from": low + i * step, "to": low + (i + 1) * step, "count": count} for i, count in enumerate(counts)]
    unit = f" ({column.unit})" if column.unit else ""
    alt = (
        f"Histogram of {column.name}, {len(numbers)} values from {number(low)} to {number(high)}, mean "
        f"{number(summary.mean)}, median {number(summary.quantiles[2])}."
    )
    body = {
        "data": values(rows),
        "mark": {"type": "bar", "color": BLUE, "stroke": "#FFFFFF"},
        "encoding": {
            "x": axis("from", f"{column.name}{unit}", bin={"binned": True}),
            "x2": {"field": "to"},
            "y": {"field": "count", "type": "quantitative", "title": "rows"},
        },
    }
    return figure(f"Distribution of {column.name}", alt, body)


def groups(table: Table, result: Result) -> Figure:
    """Every value (thinned) beside each group's mean with its 95 % interval."""
    response, group = table[result["response"]], table[result["group"]]
    order = [entry["level"] for entry in result["groups"]]
    rows = complete_rows([response, group])
    points = thinned([{"group": group.cells[i], "value": float(str(response.cells[i]))} for i in rows])
    means = [
        {"group": entry["level"], "mean": entry["mean"], "low": entry["ci_low"], "high": entry["ci_high"]}
        for entry in result["groups"]
    ]
    place = {
        "field": "group",
        "type": "nominal",
        "title": group.name,
        "sort": order,
        "axis": {"labelAngle": 0, "labelLimit": 110},
    }
    if len(order) > 6:
        place["axis"] = {"labelAngle": -40, "labelLimit": 140}
    listed = "; ".join(f"{entry['level']} {number(entry['mean'])}" for entry in result["groups"][:10])
    alt = f"{response.name} in the {len(order)} groups of {group.name}, with means and 95 % intervals. Means: {listed}."
    ticks = {"type": "tick", "color": GREY, "opacity": 0.45, "thickness": 1}
    layers = [
        {"data": values(points), "mark": ticks, "encoding": {"x": place, "y": axis("value", response.name)}},
        {
            "data": values([mean for mean in means if mean["low"] is not None]),
            "mark": {"type": "rule", "color": BLUE, "strokeWidth": 3},
            "encoding": {"x": place, "y": axis("low", response.name), "y2": {"field": "high"}},
        },
        {
            "data": values(means),
            "mark": {"type": "point", "filled": True, "opacity": 1, "color": BLUE, "size": 110},
            "encoding": {"x": place, "y": axis("mean", response.name)},
        },
    ]
    width = max(240, min(640, 90 * len(order)))
    return figure(f"{response.name} by {group.name}", alt, {"layer": layers}, width=width)


def contingency(_: Table, result: Result) -> Figure:
    """Shares of the column's levels within each of the row's."""
    cells = []
    for level, counts in zip(result["row_levels"], result["counts"], strict=True):
        total = sum(counts)
        for other, count in zip(result["column_levels"], counts, strict=True):
            cells.append({"row": level, "column": other, "count": count, "share": count / total})
    row, column = result["row"], result["column"]
    alt = (
        f"Stacked bars: shares of {column} within each of the {len(result['row_levels'])} levels of {row}, "
        f"{result['n']} rows. Cramér's V is {number(result['cramers_v'], 3)}."
    )
    body = {
        "data": values(cells),
        "mark": {"type": "bar", "stroke": "#FFFFFF"},
        "encoding": {
            "y": {"field": "row", "type": "nominal", "title": row, "sort": result["row_levels"]},
            "x": {"field": "share", "type": "quantitative", "title": f"share of {column}", "axis": {"format": "%"}},
            "color": {"field": "column", "type": "nominal", "title": column, "sort": result["column_levels"]},
            "order": {"field": "column"},
        },
    }
    return figure(f"{column} within {row}", alt, body, height=max(120, 30 * len(result["row_levels"])))
