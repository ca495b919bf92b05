"""Least-squares models: the fit with its band, observed against fitted values, and what the residuals look like."""

from __future__ import annotations

from typing import Any

import numpy as np

from worker.engines.analysis.expressions.coding import Design, build_design
from worker.engines.analysis.expressions.formula import ModelFormula, parse_formula
from worker.engines.analysis.expressions.syntax import ExpressionError
from worker.engines.analysis.figures import residuals
from worker.engines.analysis.figures.labels import shortened, titled
from worker.engines.analysis.figures.points import cloud, line
from worker.engines.analysis.figures.scales import column_scale, scale_of
from worker.engines.analysis.figures.spec import GREY, Figure, Vector, figure, values
from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.table import Column, Table
from worker.engines.analysis.wording import number

Result = dict[str, Any]

_LINE_POINTS = 120
_INDEPENDENT = 1e-10


def regression(table: Table, result: Result) -> list[Figure]:
    """Of a model of one numeric column the curve with its 95 % band, else observed against fitted values; then the
    residuals. Nothing where a term has no estimate or the model is not a least-squares one."""
    if result.get("family", "gaussian") != "gaussian" or any(term["estimate"] is None for term in result["terms"]):
        return []
    try:
        formula = parse_formula(result["formula"], table.names())
        design = build_design(formula, table, exact=False)
    except ExpressionError:
        return []
    estimates = {term["name"]: term["estimate"] for term in result["terms"]}
    if set(design.names) != set(estimates):
        return []
    beta = np.array([estimates[name] for name in design.names])
    fitted = design.matrix @ beta
    single = _single_column(formula, table)
    if single is None:
        main = _observed_and_fitted(result, design, fitted)
    else:
        main = _curve(table, result, design, fitted, single)
    return [main, *residuals.checks(result["response"], fitted, design.response - fitted, result["residual_sd"])]


def _single_column(formula: ModelFormula, table: Table) -> Column | None:
    """The predictor, where all terms are functions of one numeric column and the response is not transformed."""
    names = {name for term in formula.terms for factor in term for name in factor.columns}
    if len(names) != 1 or any(factor.categorical for term in formula.terms for factor in term):
        return None
    column = table[names.pop()]
    return column if column.numeric else None


def _curve(table: Table, result: Result, design: Design, fitted: Vector, predictor: Column) -> Figure:
    x, y = predictor.floats()[design.rows], design.response
    response = table.find(result["response"])
    order = np.argsort(x, kind="stable")
    ends = order[np.append(True, np.diff(x[order]) > 0)]
    # Where there are many places, evenly spaced ones are enough for the line.
    if len(ends) > _LINE_POINTS:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, _LINE_POINTS).round().astype(np.intp))]
    drawn = {"y": fitted[ends]}
    half = _half_width(design, ends, result)
    if half is not None:
        drawn |= {"low": fitted[ends] - half, "high": fitted[ends] + half}
    straight = design.matrix.shape[1] == 1 + ("Intercept" in design.names)
    across = column_scale(predictor, x, log=True)
    unit = None if response is None else response.unit
    up = scale_of(titled(result["response"], unit), y, *drawn.values())
    points, called = cloud(x, y, across, up)
    layers = [points, *line(x[ends], drawn, across, up, interpolate="linear" if straight else "monotone")]
    slope = next((term for term in result["terms"] if term["name"] == predictor.name), None)
    told = "the least-squares curve"
    if straight and slope is not None:
        told = f"the least-squares line of slope {number(slope['estimate'])}"
        if slope["ci_low"] is not None:
            told += f" (95 % interval {number(slope['ci_low'])} to {number(slope['ci_high'])})"
    band = " and the 95 % band of the mean" if half is not None else ""
    alt = (
        f"{called} of {result['response']} against {predictor.name} for {result['n']:,} rows, with {told}{band}; "
        f"across {across.said}, up {up.said}. R² is {number(result['r_squared'], 3)}."
    )
    return figure(f"{result['response']} by {predictor.name}", alt, {"layer": layers})


def _half_width(design: Design, at: Vector, result: Result) -> Vector | None:
    """Half of the 95 % interval of the mean at those rows; None where the scatter or the design does not give one."""
    sd, df = result["residual_sd"], result["df_residual"]
    if not sd or df <= 0:
        return None
    scaled = design.matrix / np.linalg.norm(design.matrix, axis=0)
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    if singular[-1] < _INDEPENDENT * singular[0]:
        return None
    leverage: Vector = np.sqrt(np.sum((scaled[at] @ right.T / singular) ** 2, axis=1))
    reach: float = t_quantile(0.975, df) * sd
    return reach * leverage


def _observed_and_fitted(result: Result, design: Design, fitted: Vector) -> Figure:
    response = shortened(result["response"], 40)
    across, up = scale_of(f"fitted {response}", fitted), scale_of(f"observed {response}", design.response, fitted)
    points, called = cloud(fitted, design.response, across, up)
    ends = across.shown(np.array([fitted.min(), fitted.max()]))
    diagonal = {
        "data": values([{"x": end, "y": end} for end in ends]),
        "mark": {"type": "line", "color": GREY, "strokeDash": [6, 4], "strokeWidth": 2},
        "encoding": {"x": across.channel("x"), "y": up.channel("y")},
    }
    sd = f", residual standard deviation {number(result['residual_sd'])}" if result["residual_sd"] is not None else ""
    alt = (
        f"{called}: observed {result['response']} against the values fitted by {result['formula']} for "
        f"{result['n']:,} rows, with the line of equality. R² is {number(result['r_squared'], 3)}{sd}."
    )
    return figure(f"{result['response']}: observed and fitted", alt, {"layer": [points, diagonal]})
