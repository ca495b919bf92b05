"""Figures of relations between numbers: scatter with fit, fitted curve, correlations, trend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from worker.engines.analysis.expressions.coding import INTERCEPT, build_design
from worker.engines.analysis.expressions.evaluate import Value, evaluate
from worker.engines.analysis.expressions.formula import ModelFormula, parse_formula
from worker.engines.analysis.expressions.syntax import Name, names_in, parse_expression
from worker.engines.analysis.figures.spec import BLUE, GREY, ORANGE, Figure, axis, figure, thinned, values
from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.table import ColumnType, Table, complete_rows
from worker.engines.analysis.tasks.trend import times
from worker.engines.analysis.wording import interval, number, p_value

Result = dict[str, Any]

_LINE_POINTS = 60


def regression(table: Table, result: Result) -> Figure | None:
    """Response against the one predictor with line and 95 % band of the mean; else observed against fitted."""
    formula = parse_formula(result["formula"], table.names())
    if any(term["estimate"] is None for term in result["terms"]):
        return None
    single = _single_predictor(formula, table)
    return _observed_and_fitted(table, formula, result) if single is None else _line(table, formula, result, single)


def _single_predictor(formula: ModelFormula, table: Table) -> str | None:
    """The predictor, if the model is a straight line of one numeric column."""
    terms = formula.terms
    if formula.intercept and len(terms) == 1 and len(terms[0]) == 1:
        factor = terms[0][0]
        if isinstance(factor.node, Name) and not factor.categorical and table[factor.node.name].numeric:
            return factor.node.name
    return None


def _line(table: Table, formula: ModelFormula, result: Result, predictor: str) -> Figure:
    design = build_design(formula, table, exact=False)
    x, y = design.matrix[:, 1], design.response
    estimates = {term["name"]: term["estimate"] for term in result["terms"]}
    intercept, slope = estimates[INTERCEPT], estimates[predictor]
    mean = math.fsum(x.tolist()) / len(x)
    spread = math.fsum(((x - mean) ** 2).tolist())
    line = []
    for at in np.linspace(float(x.min()), float(x.max()), _LINE_POINTS).tolist():
        fitted = intercept + slope * at
        point = {"x": at, "fit": fitted}
        if result["residual_sd"] is not None and spread > 0:
            reach = t_quantile(0.975, result["df_residual"]) * result["residual_sd"]
            half = reach * math.sqrt(1 / len(x) + (at - mean) ** 2 / spread)
            point |= {"low": fitted - half, "high": fitted + half}
        line.append(point)
    points = thinned([{"x": a, "y": b} for a, b in zip(x.tolist(), y.tolist(), strict=True)])
    response = result["response"]
    alt = (
        f"Scatter plot of {response} against {predictor} for {result['n']} rows, with the least-squares line of slope "
        f"{number(slope)} and its 95 % band. R² is {number(result['r_squared'], 3)}."
    )
    return figure(
        f"{response} by {predictor}",
        alt,
        {
            "layer": [
                _dots(points, axis("x", predictor), axis("y", response)),
                {
                    "data": values(line),
                    "mark": {"type": "area", "opacity": 0.2, "color": ORANGE},
                    "encoding": {"x": axis("x", predictor), "y": axis("low", response), "y2": {"field": "high"}},
                },
                {
                    "data": values(line),
                    "mark": {"type": "line", "color": ORANGE, "strokeWidth": 2.5},
                    "encoding": {"x": axis("x", predictor), "y": axis("fit", response)},
                },
            ]
        },
    )


def _dots(points: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    mark = {"type": "point", "filled": True, "size": 40, "opacity": 0.65, "color": BLUE}
    return {"data": values(points), "mark": mark, "encoding": {"x": x, "y": y}}


def _observed_and_fitted(table: Table, formula: ModelFormula, result: Result) -> Figure:
    design = build_design(formula, table, exact=False)
    estimates = {term["name"]: term["estimate"] for term in result["terms"]}
    fitted = design.matrix @ np.array([estimates[name] for name in design.names])
    pairs = zip(fitted.tolist(), design.response.tolist(), strict=True)
    points = thinned([{"x": a, "y": b} for a, b in pairs])
    low, high = float(min(fitted.min(), design.response.min())), float(max(fitted.max(), design.response.max()))
    response = result["response"]
    alt = (
        f"Observed {response} against the values fitted by {result['formula']} for {result['n']} rows, "
        f"with the line of equality. R² is {number(result['r_squared'], 3)}."
    )
    # Layers share an axis: titles that differ would be strung together.
    x, y = axis("x", f"fitted {response}"), axis("y", f"observed {response}")
    diagonal = {
        "data": values([{"x": low, "y": low}, {"x": high, "y": high}]),
        "mark": {"type": "line", "color": GREY, "strokeDash": [6, 4]},
        "encoding": {"x": x, "y": y},
    }
    return figure(f"{response}: observed and fitted", alt, {"layer": [diagonal, _dots(points, x, y)]})


def curve(table: Table, result: Result) -> Figure | None:
    """The fitted curve over the data, where the formula is in one column and the response is a column."""
    model, response = parse_expression(result["formula"]), parse_expression(result["response"])
    parameters = {p["name"]: np.float64(p["estimate"]) for p in result["parameters"]}
    columns = [name for name in names_in(model) if table.find(name) is not None]
    if len(columns) != 1 or not isinstance(response, Name):
        return None
    rows = complete_rows([table[response.name], table[columns[0]]])
    x, y = table[columns[0]].floats()[rows], table[response.name].floats()[rows]
    grid = np.linspace(float(x.min()), float(x.max()), 5 * _LINE_POINTS)
    at: dict[str, Value] = {"pi": np.float64(math.pi), **parameters, columns[0]: grid}
    fitted = np.broadcast_to(evaluate(model, at), grid.shape)
    line = [{"x": a, "y": b} for a, b in zip(grid.tolist(), fitted.tolist(), strict=True) if math.isfinite(b)]
    points = thinned([{"x": a, "y": b} for a, b in zip(x.tolist(), y.tolist(), strict=True)])
    alt = f"Scatter plot of {response.name} against {columns[0]} for {len(rows)} rows with the fitted curve "
    alt += f"{result['formula']}."
    across, up = axis("x", columns[0]), axis("y", response.name)
    drawn = {
        "data": values(line),
        "mark": {"type": "line", "color": ORANGE, "strokeWidth": 2.5},
        "encoding": {"x": across, "y": up},
    }
    return figure(f"{response.name} and the fitted curve", alt, {"layer": [_dots(points, across, up), drawn]})


def correlation(_: Table, result: Result) -> Figure | None:
    """A heat map of Pearson's r; diverging colours, the value written into each field."""
    names = result["columns"]
    if len(names) < 3:
        return None
    cells = []
    for pair in result["pairs"]:
        r = pair["pearson"]["r"]
        if r is not None:
            shown = {"r": r, "label": f"{r:.2f}".replace("-", "−")}
            cells += [{"x": pair["x"], "y": pair["y"], **shown}, {"x": pair["y"], "y": pair["x"], **shown}]
    strongest = max(result["pairs"], key=lambda pair: abs(pair["pearson"]["r"] or 0.0))
    alt = (
        f"Heat map of Pearson correlations between {len(names)} columns. The strongest is between {strongest['x']} and "
        f"{strongest['y']}, r = {number(strongest['pearson']['r'], 3)}."
    )
    side = max(240, min(640, 48 * len(names)))
    place = {"x": _nominal("x", names), "y": _nominal("y", names)}
    colour = {"field": "r", "type": "quantitative", "title": "r", "scale": {"scheme": "blueorange", "domain": [-1, 1]}}
    ink = {"condition": {"test": "abs(datum.r) > 0.7", "value": "#FFFFFF"}, "value": "#111111"}
    layers: list[dict[str, Any]] = [{"mark": "rect", "encoding": {**place, "color": colour}}]
    if len(names) <= 12:
        text = {"field": "label", "type": "nominal"}
        layers.append({"mark": {"type": "text", "fontSize": 11}, "encoding": {**place, "text": text, "color": ink}})
    return figure("Correlations", alt, {"data": values(cells), "layer": layers}, width=side, height=side)


def _nominal(field: str, order: list[str]) -> dict[str, Any]:
    return {"field": field, "type": "nominal", "title": None, "sort": order, "axis": {"labelLimit": 160}}


def trend(table: Table, result: Result) -> Figure | None:
    """The series with its Theil–Sen line."""
    if result["time"] is None:
        return None
    time, response = table[result["time"]], table[result["response"]]
    moments = times(time)
    dated = time.type is ColumnType.DATE
    rows = sorted(complete_rows([time, response]), key=lambda i: (moments[i] or 0.0, i))
    series = thinned([{"x": time.cells[i] if dated else moments[i], "y": float(str(response.cells[i]))} for i in rows])
    ends = [rows[0], rows[-1]]
    line = [
        {"x": time.cells[i] if dated else moments[i], "y": result["intercept"] + result["slope"] * (moments[i] or 0.0)}
        for i in ends
    ]
    kind = "temporal" if dated else "quantitative"
    x = {"field": "x", "type": kind, "title": time.name, "scale": {"zero": False} if not dated else {}}
    if not dated:
        x["axis"] = {"format": "d"} if time.type is ColumnType.INTEGER else {}
    y = axis("y", response.name)
    alt = (
        f"{response.name} over {time.name}, {result['n']} values, with the Theil–Sen line of slope "
        f"{number(result['slope'])} per {result['time_unit']} "
        f"({interval(result['ci_low'], result['ci_high'])}, Mann–Kendall {p_value(result['p'])})."
    )
    layers = [
        {
            "data": values(series),
            "mark": {"type": "line", "color": BLUE, "point": {"size": 25, "color": BLUE}},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": values(line),
            "mark": {"type": "line", "color": ORANGE, "strokeWidth": 2.5},
            "encoding": {"x": x, "y": y},
        },
    ]
    return figure(f"{response.name} over {time.name}", alt, {"layer": layers})
