"""A fitted curve over its data with the band of the mean, and its residuals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from worker.engines.analysis.expressions.evaluate import Value, evaluate
from worker.engines.analysis.expressions.syntax import Name, names_in, parse_expression
from worker.engines.analysis.figures import residuals
from worker.engines.analysis.figures.points import cloud, line
from worker.engines.analysis.figures.scales import column_scale
from worker.engines.analysis.figures.spec import Figure, Vector, figure
from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.wording import listed, number

Result = dict[str, Any]

_LINE_POINTS = 240
_STEP = 6.0554544523933395e-06
"""Cube root of the machine epsilon: the step of a central difference, relative to the parameter."""

_INDEPENDENT = 1e-8

Model = Callable[[Vector, Mapping[str, float]], Vector]
"""The formula at places, with values of the parameters."""


def curve(table: Table, result: Result) -> list[Figure]:
    """Data, curve and 95 % band of the mean, then residuals; where the formula has one column and the response is
    a column."""
    model, response = parse_expression(result["formula"]), parse_expression(result["response"])
    parameters = {p["name"]: p["estimate"] for p in result["parameters"]}
    columns = [name for name in names_in(model) if name not in parameters and table.find(name) is not None]
    if len(columns) != 1 or not isinstance(response, Name):
        return []
    across_column, up_column = table[columns[0]], table[response.name]
    rows = complete_rows([up_column, across_column])
    x, y = across_column.floats()[rows], up_column.floats()[rows]

    def at(places: Vector, values: Mapping[str, float]) -> Vector:
        named: dict[str, Value] = {"pi": np.float64(math.pi)}
        named |= {name: np.float64(value) for name, value in values.items()} | {columns[0]: places}
        with np.errstate(all="ignore"):
            return np.array(np.broadcast_to(evaluate(model, named), places.shape), dtype=np.float64)

    across = column_scale(across_column, x, log=True)
    grid = across.edges(_LINE_POINTS - 1, float(x.min()), float(x.max()))
    fitted, on_grid = at(x, parameters), at(grid, parameters)
    drawn = {"y": on_grid}
    half = _half_width(at, parameters, x, grid, result)
    if half is not None:
        drawn |= {"low": on_grid - half, "high": on_grid + half}
    seen = on_grid[np.isfinite(on_grid)]
    up = column_scale(up_column, y, *([seen] if _reasonable(seen, y) else []), log=True)
    points, called = cloud(x, y, across, up)
    found = listed([f"{name} = {number(value)}" for name, value in parameters.items()])
    band = " and its 95 % band" if half is not None else ""
    fit = f", R² {number(result['r_squared'], 4)}" if result["r_squared"] is not None else ""
    alt = (
        f"{called} of {response.name} against {columns[0]} for {len(rows):,} rows, with the fitted curve "
        f"{result['formula']}{band}; {found}; residual standard deviation {number(result['residual_sd'])}{fit}. "
        f"Across {across.said}, up {up.said}."
    )
    layers = [points, *line(grid, drawn, across, up)]
    main = figure(f"{response.name} and the fitted curve", alt, {"layer": layers})
    fine = np.isfinite(fitted)
    left = (y - fitted)[fine]
    return [main, *residuals.checks(response.name, fitted[fine], left, result["residual_sd"])]


def _reasonable(curve: Vector, y: Vector) -> bool:
    """Whether the curve stays near the data: a pole between two points must not squeeze them into a line."""
    if not len(curve):
        return False
    spread = float(np.ptp(y)) or 1.0
    return float(curve.min()) > float(y.min()) - spread and float(curve.max()) < float(y.max()) + spread


def _half_width(
    model: Model, parameters: Mapping[str, float], x: Vector, grid: Vector, result: Result
) -> Vector | None:
    """Half of the 95 % interval of the mean, of the model made linear at the estimates; None where it has none."""
    sd, df = result["residual_sd"], result["df_residual"]
    if not sd or df <= 0 or not result["converged"]:
        return None
    at_data, at_grid = _slopes(model, parameters, x), _slopes(model, parameters, grid)
    fine = np.isfinite(at_data).all(axis=1)
    norms = np.linalg.norm(at_data[fine], axis=0)
    if not np.all(np.isfinite(norms) & (norms > 0)):
        return None
    _, singular, right = np.linalg.svd(at_data[fine] / norms, full_matrices=False)
    if singular[-1] < _INDEPENDENT * singular[0]:
        return None
    leverage: Vector = np.sqrt(np.sum((at_grid / norms @ right.T / singular) ** 2, axis=1))
    reach: float = t_quantile(0.975, df) * sd
    return reach * leverage


def _slopes(model: Model, parameters: Mapping[str, float], places: Vector) -> Vector:
    """Derivatives by each parameter, by central differences."""
    columns = []
    for name, value in parameters.items():
        step = _STEP * (abs(value) or 1.0)
        above, below = (model(places, {**parameters, name: value + d}) for d in (step, -step))
        columns.append((above - below) / (2 * step))
    return np.column_stack(columns)
