"""A number between groups: every value, quartiles, and each group's mean with its interval; differences of pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from worker.engines.analysis.figures.categories import MOST_GROUPS, shares_of_ones, zero_one
from worker.engines.analysis.figures.intervals import Estimate, forest
from worker.engines.analysis.figures.labels import distinct_labels, titled
from worker.engines.analysis.figures.scales import Scale, column_scale
from worker.engines.analysis.figures.spec import BLUE, MAX_POINTS, RUST, Figure, Vector, figure, thinned, values
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.wording import number, plural

Result = dict[str, Any]
Layer = dict[str, Any]

_GOLDEN = 0.6180339887498949
_ROW = 36
_LISTED = 10


def groups(table: Table, result: Result) -> list[Figure]:
    """Values and means of the groups; with three groups or more also the differences between pairs. A response
    of zeros and ones has shares in the place of values."""
    if zero_one(table[result["response"]]):
        return [shares_of_ones(table, result), *_differences(result)]
    return [_values(table, result), *_differences(result)]


def _values(table: Table, result: Result) -> Figure:
    response, group = table[result["response"]], table[result["group"]]
    rows = complete_rows([response, group])
    codes, levels = group.codes()
    codes, numbers = codes[rows], response.floats()[rows]
    largest = sorted(result["groups"], key=lambda entry: -entry["n"])[:MOST_GROUPS]
    shown = [entry for entry in result["groups"] if entry in largest]
    labels = distinct_labels([entry["level"] for entry in shown])
    wide = max(len(label) for label in labels)
    across = column_scale(response, numbers, _near(numbers, shown), log=True)
    order = [f"{label}  n = {entry['n']:,}" for label, entry in zip(labels, shown, strict=True)]
    of_level = {level: place for place, level in enumerate(levels)}
    per_group = max(20, MAX_POINTS // len(shown))
    points: list[Result] = []
    boxes: list[Result] = []
    for label, entry in zip(order, shown, strict=True):
        mine = np.sort(numbers[codes == of_level[entry["level"]]])
        kept = np.array(thinned(mine.tolist(), per_group))
        # Multiples of the golden ratio spread neighbours evenly, and the same way every time.
        offsets = (np.arange(1, len(kept) + 1) * _GOLDEN) % 1
        points += [
            {"group": label, "value": value, "shift": round(shift, 3)}
            for value, shift in zip(_shown(across, kept), offsets.tolist(), strict=True)
        ]
        boxes.append({"group": label, **_quartiles(mine, across)})
    means = [
        {"group": label, **_numbers(across, mean=entry["mean"], low=entry["ci_low"], high=entry["ci_high"])}
        for label, entry in zip(order, shown, strict=True)
    ]
    listed = "; ".join(
        f"{entry['level']} {number(entry['mean'])} ({number(entry['ci_low'])} to {number(entry['ci_high'])}), "
        f"n = {entry['n']:,}"
        for entry in shown[:_LISTED]
    )
    more = len(result["groups"]) - len(shown)
    left = f" {plural(more, 'smaller group')} not drawn." if more > 0 else ""
    if any(entry["ci_low"] is not None and entry["ci_low"] < across.low for entry in shown):
        left += " Intervals that begin at the left edge reach further down."
    thin = " Points are thinned." if len(points) < sum(entry["n"] for entry in shown) else ""
    alt = (
        f"Values (dots), quartiles (boxes) and means with 95 % intervals (diamonds) of {response.name} in the "
        f"{len(result['groups'])} groups of {group.name}, {result['n']:,} rows; across {across.said}. Means: {listed}."
        f"{left}{thin}"
    )
    layers = _layers(points, boxes, means, across, _place(titled(group.name), order))
    height = max(120, _ROW * len(order) if len(order) > 6 else 52 * len(order))
    # Long names take room beside the plot.
    return figure(
        f"{response.name} by {group.name}", alt, {"layer": layers}, width=480 if wide < 16 else 420, height=height
    )


def _near(numbers: Vector, shown: list[Result]) -> Vector:
    """Ends of intervals that the axis makes room for: not those of tiny groups, which lie far out."""
    ends = np.array([end for entry in shown for end in (entry["ci_low"], entry["ci_high"]) if end is not None])
    low, high = float(numbers.min()), float(numbers.max())
    room = (high - low) / 2
    within = (ends >= low - room) & (ends <= high + room)
    # On a logarithmic axis there is no place below zero.
    return ends[within & (ends > 0)] if low > 0 else ends[within]


def _place(title: str, order: list[str]) -> Result:
    return {"field": "group", "type": "nominal", "title": title, "sort": order, "axis": {"labelOverlap": False}}


def _shown(across: Scale, numbers: Vector) -> list[float]:
    digits = across.shown(np.concatenate([numbers, [across.low, across.high]]))
    return digits[:-2]


def _numbers(across: Scale, **named: float | None) -> Result:
    """Values as drawn; what is missing or beyond a logarithmic axis is at its end or left out."""
    known = {name: value for name, value in named.items() if value is not None}
    inside = [max(value, across.low) if across.log else value for value in known.values()]
    return dict(zip(known, _shown(across, np.array(inside)), strict=True)) if known else {}


def _quartiles(mine: Vector, across: Scale) -> Result:
    q1, median, q3 = np.quantile(mine, [0.25, 0.5, 0.75]).tolist()
    reach = 1.5 * (q3 - q1)
    inside = mine[(mine >= q1 - reach) & (mine <= q3 + reach)]
    return _numbers(across, start=float(inside[0]), q1=q1, median=median, q3=q3, end=float(inside[-1]))


def _layers(
    points: list[Result], boxes: list[Result], means: list[Result], across: Scale, place: Result
) -> list[Layer]:
    dark = "#222222"
    dots = {"type": "point", "filled": True, "size": 16, "opacity": 0.45, "color": BLUE}
    offset = {"field": "shift", "type": "quantitative", "scale": {"domain": [-0.6, 1.6]}}
    box = {"type": "bar", "height": {"band": 0.5}, "fill": None, "stroke": dark, "strokeWidth": 1.2, "filled": False}
    interval = [mean for mean in means if "low" in mean and "high" in mean]
    return [
        {
            "data": values(points),
            "mark": dots,
            "encoding": {"y": place, "yOffset": offset, "x": across.channel("value")},
        },
        {
            "data": values(boxes),
            "mark": {"type": "rule", "color": dark, "strokeWidth": 1},
            "encoding": {"y": place, "x": across.channel("start"), "x2": {"field": "end"}},
        },
        {
            "data": values(boxes),
            "mark": box,
            "encoding": {"y": place, "x": across.channel("q1"), "x2": {"field": "q3"}},
        },
        {
            "data": values(boxes),
            "mark": {"type": "tick", "orient": "vertical", "size": 20, "thickness": 2.5, "color": dark},
            "encoding": {"y": place, "x": across.channel("median")},
        },
        {
            "data": values(interval),
            "mark": {"type": "rule", "color": RUST, "strokeWidth": 4, "clip": True},
            "encoding": {"y": place, "x": across.channel("low"), "x2": {"field": "high"}},
        },
        {
            "data": values(means),
            "mark": {"type": "point", "shape": "diamond", "filled": True, "opacity": 1, "size": 120, "color": RUST},
            "encoding": {"y": place, "x": across.channel("mean")},
        },
    ]


def _differences(result: Result) -> list[Figure]:
    """The differences of means with the intervals of the advised test for all pairs together, as the findings and the
    tables give them; where that compares no means, with those of each pair alone."""
    pairs = result.get("pairs") or []
    together = bool(pairs) and all({"difference", "ci_low"} <= (pair.get("post_hoc") or {}).keys() for pair in pairs)
    estimates = [
        Estimate(f"{pair['a']} − {pair['b']}", test["difference"], test["ci_low"], test["ci_high"])
        for pair in pairs
        if (test := pair.get("post_hoc" if together else "welch")) is not None
    ]
    if len(estimates) < 2:
        return []
    title = f"Differences in {result['response']} between levels of {result['group']}"
    # The title has room for it; the axis has not.
    title += " (intervals adjusted for all pairs)" if together else ""
    return [forest(title, f"difference of means of {result['response']}", estimates, none_at=0.0)]
