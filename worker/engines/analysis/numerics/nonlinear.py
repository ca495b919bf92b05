"""Nonlinear least squares: two methods, the better one polished, the last digits found in decimals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import numpy as np

from worker.engines.analysis.expressions.evaluate import Vector, evaluate_decimal, evaluate_with_slopes
from worker.engines.analysis.expressions.syntax import Node
from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.trust import MOST, UNIT, fewest

_TOLERANCE = 1e-15
_EVALUATIONS = 5_000
_DECIMAL_ROWS = 2_000
_WORKING = Context(prec=60)
_UNDEFINED = 1e75  # In place of residuals that are not finite: large, but its square still is.
_SETTLED = 1e-8
_UNIDENTIFIED = 1e-13
_SHORTER = 0.9
_AS_GOOD = 1 + 1e-13
_LAST_STEP = 1e-17
_DECIMAL_STEPS = 100
_DECIMAL_EVALUATIONS = 10_000
"""Rows times steps up to which the last digits are looked for in decimals: some seconds."""
_NEAR = 1e-3


@dataclass(frozen=True, slots=True)
class Curve:
    """A model of one response: ``response ≈ node(columns, parameters)``. `exact_*` are the same in decimals."""

    node: Node
    parameters: list[str]
    columns: Mapping[str, Vector]
    response: Vector
    exact_columns: Mapping[str, Sequence[Decimal]] | None = None
    exact_response: Sequence[Decimal] | None = None

    def residuals_and_slopes(self, point: Vector, among: Sequence[str] | None = None) -> tuple[Vector, Vector]:
        """Residuals (n) and the model's derivatives (n × p) at `point`; not finite where undefined.

        `among` are the parameters whose derivatives are wanted; all without it.
        """
        values: dict[str, Any] = dict(self.columns)
        values |= {name: np.float64(value) for name, value in zip(self.parameters, point.tolist(), strict=True)}
        wanted = self.parameters if among is None else list(among)
        model, slopes = evaluate_with_slopes(self.node, values, wanted)
        shape = self.response.shape
        columns = [np.broadcast_to(slope, shape) for slope in slopes]
        jacobian = np.column_stack(columns) if columns else np.zeros((len(self.response), 0))
        return self.response - np.broadcast_to(model, shape), jacobian


@dataclass(frozen=True, slots=True)
class CurveFit:
    """Estimates at the least sum of squares found. `std_errors` is None where the parameters are not identified."""

    estimates: list[float]
    std_errors: list[float] | None
    fitted: Vector
    residual_ss: float
    residual_sd: float | None
    df_residual: int
    converged: bool
    condition_number: float
    refined: bool
    """The last digits were found in decimal arithmetic."""
    digits: int
    """Digits of the estimates that can be trusted, at most 15."""


def sum_of_squares(curve: Curve, point: Vector) -> float:
    """Infinite where the model is undefined for some row."""
    residuals, _ = curve.residuals_and_slopes(point)
    return math.fsum((residuals * residuals).tolist()) if np.all(np.isfinite(residuals)) else math.inf


def search(
    curve: Curve, start: Vector, *, methods: Sequence[str] = ("lm", "trf"), evaluations: int = _EVALUATIONS
) -> Vector:
    """The best point that trust-region methods reach from `start`."""
    least_squares = load("scipy.optimize").least_squares

    # Both are asked for at the same points, one after the other.
    latest: dict[bytes, tuple[Vector, Vector]] = {}

    def both(point: Vector) -> tuple[Vector, Vector]:
        key = point.tobytes()
        if key not in latest:
            latest.clear()
            latest[key] = curve.residuals_and_slopes(point)
        return latest[key]

    def residuals(point: Vector) -> Vector:
        value, _ = both(point)
        return np.nan_to_num(-value, nan=_UNDEFINED, posinf=_UNDEFINED, neginf=-_UNDEFINED)

    def slopes(point: Vector) -> Vector:
        _, value = both(point)
        return np.clip(np.nan_to_num(value, nan=0.0, posinf=_UNDEFINED, neginf=-_UNDEFINED), -_UNDEFINED, _UNDEFINED)

    best, least = start, sum_of_squares(curve, start)
    with np.errstate(all="ignore"):
        for method in methods:
            try:
                found = least_squares(
                    residuals, start, jac=slopes, method=method, x_scale="jac",
                    xtol=_TOLERANCE, ftol=_TOLERANCE, gtol=_TOLERANCE, max_nfev=evaluations,
                )  # fmt: skip
            except (ValueError, np.linalg.LinAlgError):
                continue  # A step left the region where the model can be computed.
            point = np.asarray(found.x, dtype=np.float64)
            total = sum_of_squares(curve, point)
            if total < least:
                best, least = point, total
    return best


def fit_curve(curve: Curve, start: Vector) -> CurveFit:
    """Fit from `start` (where the model must be defined), then settle the last digits."""
    point = _polish(curve, search(curve, start))
    refined = False
    if curve.exact_columns is not None and len(curve.response) <= _DECIMAL_ROWS and _is_near(curve, point):
        point, total, refined = _refine(curve, point)
    if not refined:
        total = sum_of_squares(curve, point)
    residuals, jacobian = curve.residuals_and_slopes(point)
    n, p = jacobian.shape
    df = n - p
    condition, inverse_diagonal = _curvature(jacobian)
    sd = math.sqrt(total / df) if df > 0 else None
    settled = _has_settled(curve, point, residuals, jacobian)
    identified = inverse_diagonal is not None and sd is not None
    return CurveFit(
        estimates=point.tolist(),
        std_errors=[(sd or 0.0) * math.sqrt(v) for v in inverse_diagonal or []] if identified else None,
        fitted=curve.response - residuals,
        residual_ss=total,
        residual_sd=sd,
        df_residual=df,
        converged=settled,
        condition_number=condition,
        refined=refined,
        digits=MOST if refined and settled else _digits(curve, point, residuals, jacobian),
    )


def _digits(curve: Curve, point: Vector, residuals: Vector, jacobian: Vector) -> int:
    """By the step that is left and by what rounding to doubles may do to the residuals."""
    step = _step(residuals, jacobian)
    if step is None:
        return 0
    norms = np.linalg.norm(jacobian, axis=0)
    pseudo = np.linalg.pinv(jacobian / norms) / norms[:, np.newaxis]
    off = 2 * UNIT * (np.abs(curve.response) + np.abs(residuals))
    return fewest(np.abs(step) + np.abs(pseudo) @ off, point)


def _step(residuals: Vector, jacobian: Vector) -> Vector | None:
    """The Gauss–Newton step, by QR of the column-scaled Jacobian; None where that is singular."""
    norms = np.linalg.norm(jacobian, axis=0)
    if not np.all(np.isfinite(norms)) or not np.all(norms > 0):
        return None
    q, r = np.linalg.qr(jacobian / norms)
    diagonal = np.abs(np.diag(r))
    if diagonal.min() <= _UNIDENTIFIED * diagonal.max():
        return None
    return np.asarray(load("scipy.linalg").solve_triangular(r, q.T @ residuals) / norms, dtype=np.float64)


def _relative(step: Vector, point: Vector) -> float:
    return float(np.max(np.abs(step) / np.maximum(np.abs(point), 1e-300)))


def _polish(curve: Curve, point: Vector) -> Vector:
    """Gauss–Newton steps, halved where needed, as long as they lower the sum of squares.

    Within rounding of the least the sum of squares no longer tells points apart, and the length of the steps does:
    they are then taken as long as each is clearly shorter than the one before.
    """
    least = sum_of_squares(curve, point)
    last = math.inf
    for _ in range(100):
        residuals, jacobian = curve.residuals_and_slopes(point)
        if not math.isfinite(least) or (step := _step(residuals, jacobian)) is None:
            break
        length = _relative(step, point)
        shorter = length < _NEAR and length < _SHORTER * last
        if shorter and sum_of_squares(curve, point + step) <= least * _AS_GOOD:
            point, last = point + step, length
            continue
        for halving in range(10):
            candidate = point + step / 2**halving
            total = sum_of_squares(curve, candidate)
            if total < least:
                break
        else:
            break
        point, least, last = candidate, total, length
        if length < 1e-15:
            break
    return point


def _is_near(curve: Curve, point: Vector) -> bool:
    """Whether the next step is so short that what follows is a matter of digits."""
    step = _step(*curve.residuals_and_slopes(point))
    return step is not None and _relative(step, point) < _NEAR


def _refine(curve: Curve, point: Vector) -> tuple[Vector, float, bool]:
    """Gauss–Newton with residuals in decimals: their last digits are lost in doubles when the fit is close."""
    exact_point = [Decimal(value) for value in point.tolist()]
    current = _exact_residuals(curve, exact_point)
    if current is None:
        return point, math.nan, False
    residuals, least = current
    for _ in range(min(_DECIMAL_STEPS, max(4, _DECIMAL_EVALUATIONS // len(residuals)))):
        _, jacobian = curve.residuals_and_slopes(np.array([float(v) for v in exact_point]))
        size = max((abs(r) for r in residuals), default=Decimal(0))
        if not size:
            break
        # Scaled to about 1, so that residuals of any size survive as doubles.
        step = _step(np.array([float(_WORKING.divide(r, size)) for r in residuals]), jacobian)
        if step is None:
            break
        moved = [
            _WORKING.add(value, _WORKING.multiply(Decimal(s), size))
            for value, s in zip(exact_point, step.tolist(), strict=True)
        ]
        following = _exact_residuals(curve, moved)
        if following is None or following[1] >= least:
            break
        exact_point, (residuals, least) = moved, following
        if _relative(step * float(size), np.array([float(v) for v in moved])) < _LAST_STEP:
            break
    return np.array([float(v) for v in exact_point]), float(least), True


def _exact_residuals(curve: Curve, point: Sequence[Decimal]) -> tuple[list[Decimal], Decimal] | None:
    assert curve.exact_columns is not None
    assert curve.exact_response is not None
    values = dict(zip(curve.parameters, point, strict=True))
    residuals = []
    total = Decimal(0)
    for i, observed in enumerate(curve.exact_response):
        for name, column in curve.exact_columns.items():
            values[name] = column[i]
        model = evaluate_decimal(curve.node, values)
        if model is None:
            return None
        residual = _WORKING.subtract(observed, model)
        residuals.append(residual)
        total = _WORKING.fma(residual, residual, total)
    return residuals, total


def _curvature(jacobian: Vector) -> tuple[float, list[float] | None]:
    """Condition number of the scaled Jacobian, and the diagonal of the inverse of J'J."""
    norms = np.linalg.norm(jacobian, axis=0)
    if not np.all(np.isfinite(norms)) or not np.all(norms > 0):
        return math.inf, None
    _, singular, right = np.linalg.svd(jacobian / norms, full_matrices=False)
    if singular[-1] <= _UNIDENTIFIED * singular[0]:
        return math.inf, None
    diagonal = ((right.T / singular) ** 2).sum(axis=1) / norms**2
    return float(singular[0] / singular[-1]), diagonal.tolist()


def _has_settled(curve: Curve, point: Vector, residuals: Vector, jacobian: Vector) -> bool:
    """Whether no step is left, or the residuals are down to the rounding of the response."""
    if not np.all(np.isfinite(residuals)):
        return False
    rounding = 8 * np.finfo(float).eps * float(np.max(np.abs(curve.response), initial=0.0))
    if float(np.max(np.abs(residuals), initial=0.0)) <= rounding:
        return True
    step = _step(residuals, jacobian)
    if step is None:
        return False
    # The part of the residuals that the model could still explain, beside all of them (Bates and Watts 1988);
    # where the residuals are small against the response, a small relative step says as much.
    offset = float(np.linalg.norm(jacobian @ step)) / float(np.linalg.norm(residuals))
    return offset < 1e-5 or _relative(step, point) < _SETTLED
