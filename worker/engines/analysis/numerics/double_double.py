"""Error-free transformations on arrays: a sum or product of doubles and its rounding error, both exact.

Knuth's two-sum and Dekker's split product; together they carry about 32 digits with double arithmetic alone,
so the results do not depend on what the machine's long double is.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

_SPLITTER = 134217729.0  # 2**27 + 1


def two_sum(a: Vector, b: Vector) -> tuple[Vector, Vector]:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Vector, b: Vector) -> tuple[Vector, Vector]:
    """Exact for magnitudes under about 1e150."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _split(a: Vector) -> tuple[Vector, Vector]:
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def residual(matrix: Vector, high: Vector, low: Vector, right: Vector, minus: Vector) -> Vector:
    """``right − minus − matrix @ (high + low)``, row by row in twice the working precision."""
    total, error = two_sum(right, -minus)
    for j in range(matrix.shape[1]):
        column = np.ascontiguousarray(matrix[:, j])
        product, lost = two_product(column, np.full_like(column, -high[j]))
        total, rounding = two_sum(total, product)
        error = error + (lost + rounding - column * low[j])
    return total + error


def dot(a: Vector, b: Vector) -> float:
    """The scalar product, correctly rounded."""
    product, lost = two_product(a, b)
    return math.fsum([*product.tolist(), *lost.tolist()])
