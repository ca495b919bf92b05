"""Univariate statistics: exact on decimals, compensated on doubles, one result either way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise

from worker.engines.analysis.numerics import exact

_WORKING = Context(prec=400)


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of the values present. `sd` and the rest are None where they are not defined."""

    n: int
    mean: float
    ss: float
    sd: float | None
    skewness: float | None
    autocorrelation_lag1: float | None
    quantiles: tuple[float, float, float, float, float]
    """Minimum, lower quartile, median, upper quartile, maximum (linear between order statistics)."""
    arithmetic: str
    """`exact` or `double`."""


def summarise(cells: Sequence[str | None]) -> Summary:
    """Statistics of a column's canonical number cells, in file order, None where missing.

    The lag-1 autocorrelation is the sum of products of neighbouring deviations from the mean over the full
    sum of squares; a pair with a missing value adds nothing to the products. At least one value is needed.
    """
    present = [cell for cell in cells if cell is not None]
    if len(present) <= exact.MAX_VALUES:
        try:
            return _exact(cells, present)
        except exact.TooWide:
            pass
    return _double(cells)


def _exact(cells: Sequence[str | None], present: Sequence[str]) -> Summary:
    values = [Decimal(cell) for cell in present]
    scaled = exact.scale(values)
    n, total, unit = len(values), sum(scaled.integers), scaled.unit
    deviations = [n * value - total for value in scaled.integers]  # n times too large, so integers
    squares = sum(d * d for d in deviations)
    following = iter(deviations)
    aligned = [None if cell is None else next(following) for cell in cells]
    products = sum(a * b for a, b in pairwise(aligned) if a is not None and b is not None)
    ss = unit * unit * Fraction(squares, n * n)
    skewness = None
    if squares and n > 2:
        cubes = sum(d**3 for d in deviations)
        size = exact.root(Fraction(cubes * cubes * n, squares**3)) * _skewness_factor(n)
        skewness = size if cubes >= 0 else -size
    ordered = sorted(scaled.integers)
    return Summary(
        n=n,
        mean=exact.to_float(unit * Fraction(total, n)),
        ss=exact.to_float(ss),
        sd=exact.root(ss / (n - 1)) if n > 1 else None,
        skewness=skewness,
        autocorrelation_lag1=exact.to_float(Fraction(products, squares)) if squares else None,
        quantiles=_quantiles([exact.to_float(unit * _quantile(ordered, k)) for k in range(5)]),
        arithmetic="exact",
    )


def _quantile(ordered: Sequence[int], quarter: int) -> Fraction:
    """R's type 7: linear between order statistics, at position (n − 1) q."""
    whole, rest = divmod((len(ordered) - 1) * quarter, 4)
    if not rest:
        return Fraction(ordered[whole])
    return ordered[whole] + Fraction(rest, 4) * (ordered[whole + 1] - ordered[whole])


def shifted(cells: Sequence[str]) -> tuple[Decimal, list[float]]:
    """A value from the middle of the list, and every value less it, as doubles.

    Taking the difference in decimals first keeps the digits that doubles would lose where values are large
    and differ little.
    """
    centre = Decimal(cells[len(cells) // 2])
    return centre, [float(_WORKING.subtract(Decimal(cell), centre)) for cell in cells]


def _double(cells: Sequence[str | None]) -> Summary:
    centre, differences = shifted([cell for cell in cells if cell is not None])
    following = iter(differences)
    aligned = [None if cell is None else next(following) for cell in cells]
    values = [value for value in aligned if value is not None]
    n = len(values)
    mean = compensated_mean(values)
    deviations = [None if value is None else value - mean for value in aligned]
    present = [d for d in deviations if d is not None]
    ss = math.fsum(d * d for d in present) - math.fsum(present) ** 2 / n
    products = math.fsum(a * b for a, b in pairwise(deviations) if a is not None and b is not None)
    cubes = math.fsum(d**3 for d in present)
    ordered = sorted(values)
    marks = []
    for quarter in range(5):
        whole, rest = divmod((n - 1) * quarter, 4)
        upper = ordered[min(whole + 1, n - 1)]
        marks.append(ordered[whole] + (upper - ordered[whole]) * (rest / 4))
    varied = ss > 0
    return Summary(
        n=n,
        mean=_back(mean, centre),
        ss=ss,
        sd=math.sqrt(max(ss, 0.0) / (n - 1)) if n > 1 else None,
        skewness=cubes / n / (ss / n) ** 1.5 * _skewness_factor(n) if varied and n > 2 else None,
        autocorrelation_lag1=products / ss if varied else None,
        quantiles=_quantiles([_back(mark, centre) for mark in marks]),
        arithmetic="double",
    )


def _back(value: float, centre: Decimal) -> float:
    return float(_WORKING.add(Decimal(value), centre))


def compensated_mean(values: Sequence[float]) -> float:
    """The mean by correctly rounded sums, with one correction for the rounding of the mean itself."""
    mean = math.fsum(values) / len(values)
    return mean + math.fsum(value - mean for value in values) / len(values)


def _quantiles(marks: Sequence[float]) -> tuple[float, float, float, float, float]:
    low, lower, median, upper, high = marks
    return low, lower, median, upper, high


def _skewness_factor(n: int) -> float:
    """From the moment coefficient to the usual sample estimate (Joanes and Gill 1998, G1)."""
    return math.sqrt(n * (n - 1)) / (n - 2)
