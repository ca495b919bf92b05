"""Figures of models and of distributions: fitted chances and rates, calibration, normal quantiles."""

from __future__ import annotations

from typing import Any

from worker.engines.analysis.figures.labels import titled
from worker.engines.analysis.figures.spec import BLUE, GREY, RUST, Figure, axis, figure, values
from worker.engines.analysis.table import Table
from worker.engines.analysis.wording import number

Result = dict[str, Any]

_MOST_FIGURES = 8


def generalised(result: Result) -> Figure | None:
    """The fitted curve of a logistic or Poisson model over its one predictor; of more predictors its calibration."""
    if result["curve"] is not None:
        return _curve(result)
    return _calibration(result) if result["family"] == "binomial" else None


def _curve(result: Result) -> Figure:
    curve, response = result["curve"], result["response"]
    predictor = curve["predictor"]
    binomial = result["family"] == "binomial"
    title = f"chance that {response} is {result['event']}" if binomial else f"expected {response}"
    ratio = next(term["ratio"] for term in result["terms"] if term["name"] == predictor)
    kind = "odds ratio" if binomial else "rate ratio"
    alt = (
        f"Fitted {title} over {predictor} with its 95 % band, and observed "
        f"{'shares' if binomial else 'means'} in groups of rows as dots; {result['n']} rows, {kind} per unit "
        f"{number(ratio, 3)}."
    )
    x = axis("x", predictor)
    layers = [
        {
            "data": values(curve["points"]),
            "mark": {"type": "area", "opacity": 0.2, "color": RUST},
            "encoding": {"x": x, "y": axis("low", title), "y2": {"field": "high"}},
        },
        {
            "data": values(curve["points"]),
            "mark": {"type": "line", "color": RUST, "strokeWidth": 2.5},
            "encoding": {"x": x, "y": axis("fit", title)},
        },
        {
            "data": values(curve["observed"]),
            "mark": {"type": "point", "filled": True, "color": BLUE, "opacity": 0.9},
            "encoding": {
                "x": x,
                "y": axis("mean", title),
                "size": {"field": "n", "type": "quantitative", "legend": None, "scale": {"range": [25, 110]}},
            },
        },
    ]
    return figure(f"{title[0].upper()}{title[1:]} by {predictor}", alt, {"layer": layers})


def _calibration(result: Result) -> Figure:
    groups = result["calibration"]["groups"]
    alt = (
        f"Observed share of {result['response']} {result['event']} against the mean fitted chance in {len(groups)} "
        f"groups of rows; on the dashed line both are equal."
    )
    x, y = axis("fitted", "fitted chance"), axis("observed", "observed share")
    layers = [
        {
            "data": values([{"fitted": 0, "observed": 0}, {"fitted": 1, "observed": 1}]),
            "mark": {"type": "line", "color": GREY, "strokeDash": [4, 4]},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": values(groups),
            "mark": {"type": "point", "filled": True, "color": BLUE, "size": 80, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
    ]
    return figure(f"Calibration of the model of {result['response']}", alt, {"layer": layers}, width=320)


def distributions(_: Table, result: Result) -> list[Figure]:
    """For each of the first columns a histogram with the density that describes it best, and its normal quantiles."""
    drawn: list[Figure] = []
    for entry in result["columns"]:
        if entry["histogram"] is not None and len(drawn) < _MOST_FIGURES:
            drawn.append(_histogram(entry))
            drawn.append(_quantiles(entry))
    return drawn


def _histogram(entry: Result) -> Figure:
    edges, counts = entry["histogram"]["edges"], entry["histogram"]["counts"]
    bars = [{"from": edges[i], "to": edges[i + 1], "rows": count} for i, count in enumerate(counts)]
    name = titled(entry["name"], entry["unit"])
    x = axis("from", name, bin={"binned": True})
    layers: list[Result] = [
        {
            "data": values(bars),
            "mark": {"type": "bar", "color": BLUE, "opacity": 0.7, "stroke": "#FFFFFF"},
            "encoding": {
                "x": x,
                "x2": {"field": "to"},
                "y": {"field": "rows", "type": "quantitative", "title": "rows"},
            },
        }
    ]
    alt = (
        f"Histogram of {entry['name']}, {entry['n']} values, mean {number(entry['mean'])}, skewness "
        f"{number(entry['skewness'], 3)}"
    )
    if entry["density"] is not None:
        density = entry["density"]
        line = [{"from": a, "rows": b} for a, b in zip(density["x"], density["y"], strict=True)]
        layers.append(
            {
                "data": values(line),
                "mark": {"type": "line", "color": RUST, "strokeWidth": 2.5, "clip": True},
                "encoding": {"x": axis("from", name), "y": {"field": "rows", "type": "quantitative", "title": "rows"}},
            }
        )
        alt += f", with the fitted {density['name'].replace('_', ' ')} distribution as a line"
    return figure(f"Distribution of {entry['name']}", f"{alt}.", {"layer": layers})


def _quantiles(entry: Result) -> Figure:
    points = entry["quantiles"]
    ends = [points[0]["normal"], points[-1]["normal"]]
    line = [{"normal": at, "value": entry["mean"] + entry["sd"] * at} for at in ends]
    x, y = axis("normal", "quantile of a normal distribution"), axis("value", titled(entry["name"], entry["unit"]))
    layers = [
        {
            "data": values(line),
            "mark": {"type": "line", "color": GREY, "strokeDash": [4, 4]},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": values(points),
            "mark": {"type": "point", "filled": True, "color": BLUE, "size": 40, "opacity": 0.8},
            "encoding": {"x": x, "y": y},
        },
    ]
    alt = (
        f"Quantiles of {entry['name']} against those of a normal distribution with its mean and standard deviation, "
        "the dashed line; points off the line show where it departs from normal. Mean "
        f"{number(entry['mean'])}, standard deviation {number(entry['sd'])}, n = {entry['n']:,}."
    )
    return figure(f"Normal quantiles of {entry['name']}", alt, {"layer": layers}, width=360, height=320)
