"""Least squares on doubles: scaled columns, Householder QR with pivoting, refinement in twice the precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.double_double import Vector, dot, residual
from worker.engines.analysis.numerics.large_sums import product_sum
from worker.engines.analysis.numerics.trust import MOST, UNIT, digits, fewest, roundings

_RANK_TOLERANCE = 1e-13
_REFINEMENTS = 12
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class OrthogonalFit:
    """A fit of the columns `kept`; the others are (to rounding) combinations of them."""

    kept: list[int]
    aliased: list[int]
    estimates: Vector
    inverse_diagonal: Vector
    residuals: Vector
    residual_ss: float
    digits: int
    """Digits of the estimates and their standard errors that can be trusted, at most 15."""
    converged: bool
    """False where refinement did not settle: the problem is too ill conditioned for doubles."""


def powers_of_two(norms: Vector) -> Vector:
    """For each norm the power of two next to it: scaling by it loses nothing."""
    _, exponents = np.frexp(np.where(norms > 0, norms, 1.0))
    return np.ldexp(1.0, exponents)


def condition_number(matrix: Vector) -> float:
    """The 2-norm condition number of `matrix` with its columns scaled to unit length (infinite if singular)."""
    norms = np.linalg.norm(matrix, axis=0)
    if matrix.size == 0 or not np.all(norms > 0):
        return float("inf")
    singular = np.linalg.svd(matrix / norms, compute_uv=False)
    return float(singular[0] / singular[-1]) if singular[-1] > 0 else float("inf")


def least_squares(matrix: Vector, response: Vector) -> OrthogonalFit:
    """Fit ``response ≈ matrix @ estimates`` (n × p, n ≥ p).

    Refinement solves the augmented system r + Xb = y, X'r = 0 for both unknowns, with the right-hand sides'
    errors computed in twice the precision (Björck 1967). The estimates then lose digits to the condition
    number once, not to its square.
    """
    kept, aliased = _independent(matrix)
    scales = powers_of_two(np.abs(matrix[:, kept]).max(axis=0, initial=0.0))
    scaled = matrix[:, kept] / scales
    size = float(powers_of_two(np.array([np.abs(response).max(initial=0.0)]))[0])
    y = response / size
    q, r = np.linalg.qr(scaled)
    triangle: Any = load("scipy.linalg").solve_triangular
    high = triangle(r, q.T @ y)
    low = np.zeros_like(high)
    rest = y - scaled @ high
    converged, last = False, np.inf
    for _ in range(_REFINEMENTS):
        f = residual(scaled, high, low, y, rest)
        g = np.array([-_product(np.ascontiguousarray(column), rest) for column in scaled.T])
        h = triangle(r, g, trans="T")
        d = q.T @ f
        step = triangle(r, d - h)
        rest = rest + (f - q @ (d - h))
        total = high + (low + step)
        low = (low + step) - (total - high)
        high = total
        size_of_step = float(np.max(np.abs(step) / np.maximum(np.abs(high), 1e-300), initial=0.0))
        if size_of_step < 1e-17 or (converged and size_of_step >= last):
            converged = True
            break
        converged, last = size_of_step < 1e-13, size_of_step
    inverse = triangle(r, np.eye(len(kept)))
    errors = _errors(scaled, y, high, rest, inverse, q)
    scatter = np.sqrt((inverse**2).sum(axis=1) * _product(rest, rest) / max(1, len(y) - len(kept)))
    trusted = min(fewest(errors, high, scatter), digits(UNIT * condition_number(r), 1.0) if kept else MOST)
    return OrthogonalFit(
        kept=kept,
        aliased=aliased,
        estimates=high * size / scales,
        inverse_diagonal=(inverse**2).sum(axis=1) / scales**2,
        residuals=rest * size,
        residual_ss=_product(rest, rest) * size * size,
        digits=trusted,
        converged=converged,
    )


def _product(a: Vector, b: Vector) -> float:
    """The scalar product: correctly rounded where that is quick, else compensated."""
    return dot(a, b) if len(a) <= _BLOCK else product_sum(a, b)


def _errors(matrix: Vector, y: Vector, estimates: Vector, rest: Vector, inverse: Vector, q: Vector) -> Vector:
    """How far each estimate may be off because the numbers were read as doubles, to first order.

    The estimates change by X⁺(δy − δX b) + (X'X)⁻¹ δX'r (Björck 1996, section 1.4). Block by block: of a long matrix
    no second copy is held.
    """
    errors = np.zeros(len(estimates))
    crossed = np.zeros(len(estimates))
    for start in range(0, len(y), _BLOCK):
        rows = slice(start, start + _BLOCK)
        off = roundings(matrix[rows])
        errors += np.abs(inverse @ q[rows].T) @ (roundings(y[rows]) + off @ np.abs(estimates))
        crossed += off.T @ np.abs(rest[rows])
    bound: Vector = errors + np.abs(inverse @ inverse.T) @ crossed + 2 * UNIT * np.abs(estimates)
    return bound


def _independent(matrix: Vector) -> tuple[list[int], list[int]]:
    """Columns to keep, earlier ones first, and the columns that depend on them."""
    norms = np.linalg.norm(matrix, axis=0)
    unit = matrix / np.where(norms > 0, norms, 1.0)
    kept: list[int] = []
    basis = np.zeros((matrix.shape[0], 0))
    for j in range(matrix.shape[1]):
        column = unit[:, j]
        for _ in range(2):  # Twice is enough to be orthogonal to rounding.
            column = column - basis @ (basis.T @ column)
        length = float(np.linalg.norm(column))
        if norms[j] > 0 and length > _RANK_TOLERANCE and len(kept) < matrix.shape[0]:
            kept.append(j)
            basis = np.column_stack([basis, column / length])
    return kept, [j for j in range(matrix.shape[1]) if j not in kept]
