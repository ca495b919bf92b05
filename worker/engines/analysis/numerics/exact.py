"""Exact arithmetic on decimal text.

Values become integers over one power of ten; sums of products are then exact, and a result is rounded once,
when it becomes a double. Solving by cross-products, which squares the condition number and loses half of the
digits in floating point, loses nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

MAX_VALUES = 100_000
"""Values of one column that are summed exactly; above it compensated sums of doubles are used."""
MAX_DIGITS = 700
"""Widest integer that a column may need; a column from 1e-300 to 1e300 needs 600."""

_WIDE = Context(prec=MAX_DIGITS + 100)


class TooWide(Exception):
    """The values span too many orders of magnitude for exact integers."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """The column ``integers[i] * 10**exponent``, exactly."""

    integers: list[int]
    exponent: int

    @property
    def unit(self) -> Fraction:
        return Fraction(10) ** self.exponent


def scale(values: Sequence[Decimal]) -> Scaled:
    """Integers over a common power of ten. Raises :class:`TooWide`."""
    lowest = highest = 0
    first = True
    for value in values:
        if not value:
            continue
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int):
            raise TooWide
        lowest = exponent if first else min(lowest, exponent)
        highest = value.adjusted() if first else max(highest, value.adjusted())
        first = False
    if highest - lowest > MAX_DIGITS:
        raise TooWide
    return Scaled([int(_WIDE.scaleb(value, -lowest)) for value in values], lowest)


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, mean, and sum of squares about the mean, all exact."""

    n: int
    mean: Fraction
    ss: Fraction


def moments(values: Sequence[Decimal]) -> Moments:
    """Of at least one value. Raises :class:`TooWide`."""
    scaled = scale(values)
    n = len(scaled.integers)
    total = sum(scaled.integers)
    squares = sum(value * value for value in scaled.integers)
    unit = scaled.unit
    return Moments(n, unit * Fraction(total, n), unit * unit * Fraction(n * squares - total * total, n))


def cross_products(x: Sequence[Decimal], y: Sequence[Decimal]) -> tuple[Fraction, Fraction, Fraction]:
    """(Sxx, Sxy, Syy) about the means. Raises :class:`TooWide`."""
    a, b = scale(x), scale(y)
    n = len(a.integers)
    sum_a, sum_b = sum(a.integers), sum(b.integers)
    sxx = n * sum(v * v for v in a.integers) - sum_a * sum_a
    syy = n * sum(v * v for v in b.integers) - sum_b * sum_b
    sxy = n * sum(v * w for v, w in zip(a.integers, b.integers, strict=True)) - sum_a * sum_b
    return a.unit**2 * Fraction(sxx, n), a.unit * b.unit * Fraction(sxy, n), b.unit**2 * Fraction(syy, n)


def to_float(value: Fraction) -> float:
    """The nearest double; infinity beyond the range of doubles."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def root(value: Fraction) -> float:
    """The square root of a value that is not negative, to the last digit of a double."""
    if value <= 0:
        return 0.0
    # Shift so that the integer root has about 100 bits: 47 more than a double keeps.
    bits = value.numerator.bit_length() - value.denominator.bit_length()
    shift = 200 - bits
    shift += shift % 2
    wide = value * Fraction(2) ** shift
    return to_float(Fraction(math.isqrt(wide.numerator // wide.denominator)) / Fraction(2) ** (shift // 2))


@dataclass(frozen=True, slots=True)
class ExactFit:
    """Least squares in rationals. `aliased` are columns that the ones before them already determine."""

    kept: list[int]
    aliased: list[int]
    estimates: list[Fraction]
    inverse_diagonal: list[Fraction]
    """Diagonal of the inverse of X'X, so that a variance is residual variance times it."""
    residual_ss: Fraction
    total_ss: Fraction
    """About the mean."""
    total_ss_raw: Fraction
    """About zero."""


def least_squares(columns: Sequence[Sequence[Decimal]], response: Sequence[Decimal]) -> ExactFit:
    """The exact least-squares fit of `response` on `columns`. Raises :class:`TooWide`."""
    scaled = [scale(column) for column in columns]
    y = scale(response)
    p = len(scaled)
    gram = [[0] * p for _ in range(p)]
    for i in range(p):
        for j in range(i, p):
            product = sum(a * b for a, b in zip(scaled[i].integers, scaled[j].integers, strict=True))
            gram[i][j] = gram[j][i] = product
    right = [sum(a * b for a, b in zip(column.integers, y.integers, strict=True)) for column in scaled]
    kept = _independent(gram)
    inverse = _inverse([[gram[i][j] for j in kept] for i in kept])
    raw = [sum((inverse[i][j] * right[k] for j, k in enumerate(kept)), Fraction(0)) for i in range(len(kept))]
    squares = sum(v * v for v in y.integers)
    total = sum(y.integers)
    explained = sum((estimate * right[k] for estimate, k in zip(raw, kept, strict=True)), Fraction(0))
    return ExactFit(
        kept=kept,
        aliased=[k for k in range(p) if k not in kept],
        estimates=[raw[i] * y.unit / scaled[k].unit for i, k in enumerate(kept)],
        inverse_diagonal=[inverse[i][i] / scaled[k].unit ** 2 for i, k in enumerate(kept)],
        residual_ss=(squares - explained) * y.unit**2,
        total_ss=(squares - Fraction(total * total, len(y.integers))) * y.unit**2,
        total_ss_raw=squares * y.unit**2,
    )


def _independent(gram: Sequence[Sequence[int]]) -> list[int]:
    """Indices of the first columns that are linearly independent (a zero Schur complement: dependent)."""
    rows = [list(row) for row in gram]
    kept: list[int] = []
    previous = 1
    for k in range(len(rows)):
        pivot = rows[k][k]
        if pivot == 0:
            continue
        kept.append(k)
        # Fraction-free elimination (Bareiss 1968): every division is exact, so the integers stay small.
        for i in range(k + 1, len(rows)):
            factor = rows[i][k]
            row, top = rows[i], rows[k]
            rows[i] = [(pivot * row[j] - factor * top[j]) // previous for j in range(len(rows))]
        previous = pivot
    return kept


def _inverse(matrix: Sequence[Sequence[int]]) -> list[list[Fraction]]:
    """The inverse of a positive definite integer matrix, by fraction-free Gauss–Jordan elimination."""
    n = len(matrix)
    rows = [[*row, *(int(i == j) for j in range(n))] for i, row in enumerate(matrix)]
    previous = 1
    for k in range(n):
        pivot, top = rows[k][k], rows[k]
        for i in range(n):
            if i != k:
                factor, row = rows[i][k], rows[i]
                rows[i] = [(pivot * row[j] - factor * top[j]) // previous for j in range(2 * n)]
        previous = pivot
    return [[Fraction(rows[i][n + j], rows[i][i]) for j in range(n)] for i in range(n)]
