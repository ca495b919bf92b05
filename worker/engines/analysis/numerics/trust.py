"""How many digits of a figure computed in doubles can be trusted.

What is counted is what reading numbers as doubles may have changed: every value that is no whole number (or one too
large) may be off by half a unit in its last place. First-order bounds on what that does to a result, in the worst case
over all signs, because the same rounding often comes back in every row.
"""

from __future__ import annotations

import math

import numpy as np

from worker.engines.analysis.numerics.double_double import Vector

UNIT = 2.0**-53
MOST = 15
_WHOLE = 2.0**53
_NEGLIGIBLE = 1e-3


def roundings(values: Vector) -> Vector:
    """For each value how far off it may be: nothing for whole numbers."""
    size = np.abs(values)
    return np.where((size < _WHOLE) & (values == np.rint(values)), 0.0, size * UNIT)


def digits(error: float, value: float, beside: float = 0.0) -> int:
    """Digits of `value` that an absolute `error` leaves, 0 to 15.

    `beside` is its standard error where it has one: digits far below that are nobody's loss, so the error is held
    against a thousandth of it where the value is smaller.
    """
    size = max(abs(value), _NEGLIGIBLE * beside)
    if not math.isfinite(error) or not math.isfinite(size):
        return 0
    if error <= 0:
        return MOST
    return max(0, min(MOST, math.floor(-math.log10(error / size)))) if size else 0


def fewest(errors: Vector, values: Vector, beside: Vector | None = None) -> int:
    """The smallest of :func:`digits`; 15 for none."""
    others: Vector = np.zeros_like(values) if beside is None else beside
    found = [digits(*each) for each in zip(errors.tolist(), values.tolist(), others.tolist(), strict=True)]
    return min(found, default=MOST)


def moment_digits(values: Vector, deviations: Vector, mean: float, ss: float) -> int:
    """Of mean and standard deviation; `values` are as they were read, `deviations` from their mean."""
    off, n = roundings(values), len(values)
    scatter = math.sqrt(ss / n / max(1, n - 1))
    of_mean = digits(float(off.sum()) / n + UNIT * abs(mean), mean, scatter)
    if ss <= 0:
        # Whole numbers this large that agree as doubles need not agree as they were written.
        return 0 if np.any(np.abs(values) >= _WHOLE) else of_mean
    return min(of_mean, digits(float((off * np.abs(deviations)).sum()) + 4 * UNIT * ss, ss))
