"""Starting values for a curve fit, found from the data when none are given."""

from __future__ import annotations

import math

import numpy as np

from worker.engines.analysis.expressions.evaluate import Vector
from worker.engines.analysis.numerics.nonlinear import Curve, search, sum_of_squares
from worker.engines.analysis.numerics.roles import Role, exchangeable, linear_parameters, roles

_CANDIDATES = 1_500
_PROMISING = 24
_SHORT = 150


def find_start(curve: Curve, seed: int) -> Vector | None:
    """The best of many random starts, each completed by linear least squares and followed a little way.

    Scales come from the columns: rates of about one over their range, places within it, exponents near one.
    None if the model is undefined at every candidate.
    """
    linear = linear_parameters(curve.node, curve.parameters)
    free = [name for name in curve.parameters if name not in linear]
    rng = np.random.default_rng(seed)
    candidates: list[tuple[float, Vector]] = []
    for _ in range(_CANDIDATES if free else 1):
        point = _complete(curve, linear, _draw(curve, free, rng))
        if point is not None and math.isfinite(total := sum_of_squares(curve, point)):
            candidates.append((total, point))
    candidates.sort(key=lambda candidate: candidate[0])
    followed = []
    for _, point in _spread(candidates):
        reached = search(curve, point, methods=("lm",), evaluations=_SHORT)
        followed.append((sum_of_squares(curve, reached), reached))
    return _in_order(curve, linear, min(followed, key=lambda candidate: candidate[0])[1]) if followed else None


def _in_order(curve: Curve, linear: list[str], point: Vector) -> Vector:
    """One of several equal solutions: signs that make no difference are positive, and terms that could change
    places stand in ascending order of their first nonlinear parameter."""
    for i in np.flatnonzero(point < 0):
        mirrored = point.copy()
        mirrored[i] = -point[i]
        if sum_of_squares(curve, mirrored) == sum_of_squares(curve, point):
            point = mirrored
    values = dict(zip(curve.parameters, point.tolist(), strict=True))
    for group in exchangeable(curve.node, curve.parameters):
        key = next((i for i, name in enumerate(group[0]) if name not in linear), 0)
        ordered = sorted(([values[name] for name in names] for names in group), key=lambda term: term[key])
        for names, term in zip(group, ordered, strict=True):
            values |= dict(zip(names, term, strict=True))
    return np.array([values[name] for name in curve.parameters])


def _spread(candidates: list[tuple[float, Vector]]) -> list[tuple[float, Vector]]:
    """The best half, and others evenly over the better part of the rest, so that one valley does not take all."""
    head = candidates[: _PROMISING // 2]
    rest = candidates[_PROMISING // 2 : max(_PROMISING, len(candidates) // 4)]
    step = max(1, len(rest) // (_PROMISING // 2))
    return head + rest[::step][: _PROMISING // 2]


def _draw(curve: Curve, free: list[str], rng: np.random.Generator) -> dict[str, float]:
    known = roles(curve.node, curve.parameters, list(curve.columns))
    drawn: dict[str, float] = {}
    for name in free:
        column = _column_beside(curve, rng)
        low, high = float(column.min()), float(column.max())
        width = (high - low) or 1.0
        sign = -1.0 if rng.random() < 0.2 else 1.0
        role = known.get(name) or list(Role)[int(rng.integers(len(Role)))]
        match role:
            case Role.PLACE:
                value = rng.uniform(low - 0.1 * width, high + 0.1 * width)
            case Role.RATE:
                value = sign * 10 ** rng.uniform(-1.5, 1.7) / width
            case Role.WIDTH:
                value = width * 10 ** rng.uniform(-2.0, 0.5)
            case Role.EXPONENT:
                value = sign * 10 ** rng.uniform(-1.0, 1.0)
        drawn[name] = float(value)
    return drawn


def _column_beside(curve: Curve, rng: np.random.Generator) -> Vector:
    columns = list(curve.columns.values())
    return columns[int(rng.integers(len(columns)))] if columns else np.zeros(1)


def _complete(curve: Curve, linear: list[str], drawn: dict[str, float]) -> Vector | None:
    """`drawn` with the linear parameters at their least-squares values."""
    point = np.array([drawn.get(name, 0.0) for name in curve.parameters])
    if not linear:
        return point
    residuals, jacobian = curve.residuals_and_slopes(point)
    places = [curve.parameters.index(name) for name in linear]
    part = jacobian[:, places]
    if not (np.all(np.isfinite(residuals)) and np.all(np.isfinite(part))):
        return None
    point[places] = np.linalg.lstsq(part, residuals, rcond=None)[0]
    return point
