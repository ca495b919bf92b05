"""Estimates with their intervals, one beneath the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.engines.analysis.figures.labels import distinct_labels, titled
from worker.engines.analysis.figures.scales import Scale, scale_of
from worker.engines.analysis.figures.spec import BLUE, GREY, Figure, figure, values
from worker.engines.analysis.wording import number

MOST = 25
_LISTED = 8
_ROW = 26


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row. `filled` tells the rows that stand out from the others."""

    label: str
    value: float
    low: float | None
    high: float | None
    filled: bool = True


def forest(
    title: str, across: str, estimates: Sequence[Estimate], *, none_at: float | None, filled: str = "", wide: int = 40
) -> Figure:
    """At most :data:`MOST` rows in the order given; `none_at` is the value that means no effect.

    `filled` says what a filled mark means, where not all are.
    """
    shown = list(estimates[:MOST])
    order = distinct_labels([estimate.label for estimate in shown], wide)
    ends = [end for e in shown for end in (e.value, e.low, e.high, none_at) if end is not None]
    scale = scale_of(titled(across), np.array(ends, dtype=np.float64))
    numbers = iter(scale.shown(np.array([end for e in shown for end in (e.value, *_ends(e))], dtype=np.float64)))
    rows = []
    for label, estimate in zip(order, shown, strict=True):
        row = {"label": label, "value": next(numbers), "filled": estimate.filled}
        rows.append(row | ({"low": next(numbers), "high": next(numbers)} if _ends(estimate) else {}))
    place = {"field": "label", "type": "nominal", "title": None, "sort": order}
    y = {**place, "axis": {"labelOverlap": False, "labelLimit": 320, "grid": True}}
    fill = {"condition": {"test": "datum.filled", "value": BLUE}, "value": "#FFFFFF"}
    layers = [
        *([] if none_at is None else [_no_effect(none_at, scale)]),
        {
            "data": values([row for row in rows if "low" in row]),
            "mark": {"type": "rule", "color": BLUE, "strokeWidth": 2.5},
            "encoding": {"y": y, "x": scale.channel("low"), "x2": {"field": "high"}},
        },
        {
            "data": values(rows),
            "mark": {"type": "point", "size": 90, "stroke": BLUE, "strokeWidth": 2, "opacity": 1},
            "encoding": {"y": y, "x": scale.channel("value"), "fill": fill},
        },
    ]
    listed = "; ".join(_told(estimate) for estimate in shown[:_LISTED])
    more = f" {len(estimates) - len(shown)} more are not drawn." if len(estimates) > len(shown) else ""
    alt = f"Dots with 95 % intervals, {len(shown)} rows; across {across}. {listed}.{more}{filled and f' {filled}'}"
    return figure(title, alt, {"layer": layers}, width=380, height=max(90, _ROW * len(rows)))


def _ends(estimate: Estimate) -> tuple[float, ...]:
    if estimate.low is None or estimate.high is None:
        return ()
    return (estimate.low, estimate.high)


def _told(estimate: Estimate) -> str:
    told = f"{estimate.label}: {number(estimate.value, 3)}"
    if _ends(estimate):
        told += f" ({number(estimate.low, 3)} to {number(estimate.high, 3)})"
    return told


def _no_effect(at: float, scale: Scale) -> dict[str, object]:
    mark = {"type": "rule", "color": GREY, "strokeDash": [5, 4], "strokeWidth": 1.5}
    return {"data": values([{"at": at}]), "mark": mark, "encoding": {"x": scale.channel("at")}}
