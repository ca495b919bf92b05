"""Sums over long arrays: as good as correctly rounded ones for statistics, at the speed of arrays."""

from __future__ import annotations

import math

from worker.engines.analysis.numerics.double_double import Vector, two_product, two_sum

_BLOCK = 32_768
"""Values at a time: what is computed from them stays in the processor's cache."""
_SHORT = 16


def total(values: Vector) -> float:
    """The sum. Its error is one rounding and the rounding of the roundings: about 1e-32 times the sum of magnitudes."""
    parts: list[float] = []
    for start in range(0, len(values), _BLOCK):
        parts += _folded(values[start : start + _BLOCK])
    return math.fsum(parts)


def product_sum(a: Vector, b: Vector) -> float:
    """The scalar product, as good as :func:`total`. For magnitudes under about 1e150."""
    parts: list[float] = []
    for start in range(0, len(a), _BLOCK):
        product, lost = two_product(a[start : start + _BLOCK], b[start : start + _BLOCK])
        parts += _folded(product)
        parts.append(float(lost.sum()))
    return math.fsum(parts)


def _folded(block: Vector) -> list[float]:
    """A few numbers with the same sum: halves are added, and what rounding loses is added up beside them."""
    rest: list[float] = []
    lost = 0.0
    while len(block) > _SHORT:
        half = len(block) // 2
        if len(block) % 2:
            rest.append(float(block[-1]))
        block, error = two_sum(block[:half], block[half : 2 * half])
        lost += float(error.sum())
    return [*block.tolist(), *rest, lost]


def deviations(values: Vector) -> tuple[float, Vector]:
    """Mean, and the values less it, as if the mean had twice the digits. Needs one value or more."""
    mean = total(values) / len(values)
    rest = values - mean
    correction = total(rest) / len(values)
    return mean + correction, rest - correction
