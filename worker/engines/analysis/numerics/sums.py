"""Univariate statistics: exact on decimals, compensated on doubles, one result either way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

import numpy as np

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics import exact
from worker.engines.analysis.numerics.double_double import Vector
from worker.engines.analysis.numerics.large_sums import deviations, product_sum, total
from worker.engines.analysis.numerics.trust import MOST, moment_digits
from worker.engines.analysis.packed import PackedNumbers

Real = TypeVar("Real", float, Fraction)

_WORKING = Context(prec=400)


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of the values present. `sd` and the rest are None where they are not defined."""

    n: int
    mean: float
    ss: float
    sd: float | None
    skewness: float | None
    kurtosis: float | None
    """In excess of the normal distribution's."""
    autocorrelation_lag1: float | None
    quantiles: tuple[float, float, float, float, float]
    """Minimum, lower quartile, median, upper quartile, maximum (linear between order statistics)."""
    median_interval: tuple[float, float] | None
    """The order statistics between which the median lies with 95 % or a little more; None for fewer than six values."""
    arithmetic: str
    """`exact` or `double`."""
    digits: int
    """Digits of mean and standard deviation that can be trusted, at most 15."""


def summarise(cells: Sequence[str | None]) -> Summary:
    """Statistics of a column's canonical number cells, in file order, None where missing.

    The lag-1 autocorrelation is the sum of products of neighbouring deviations from the mean over the full
    sum of squares; a pair with a missing value adds nothing to the products. At least one value is needed.
    """
    if isinstance(cells, PackedNumbers):
        return _packed(cells.values)
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
    kurtosis = None
    if squares and n > 3:
        tails = Fraction(n * sum(d**4 for d in deviations), squares * squares)
        kurtosis = exact.to_float(_sample_kurtosis(tails, n))
    ordered = sorted(scaled.integers)
    rank = median_rank(n)
    return Summary(
        n=n,
        mean=exact.to_float(unit * Fraction(total, n)),
        ss=exact.to_float(ss),
        sd=exact.root(ss / (n - 1)) if n > 1 else None,
        skewness=skewness,
        kurtosis=kurtosis,
        autocorrelation_lag1=exact.to_float(Fraction(products, squares)) if squares else None,
        quantiles=_quantiles([exact.to_float(unit * _quantile(ordered, k)) for k in range(5)]),
        median_interval=None
        if rank is None
        else (exact.to_float(unit * ordered[rank - 1]), exact.to_float(unit * ordered[n - rank])),
        arithmetic="exact",
        digits=MOST,
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
    spread = math.sqrt(max(ss, 0.0) / n) or 1.0
    tails = math.fsum((d / spread) ** 4 for d in present) / n
    ordered = sorted(values)
    rank = median_rank(n)
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
        kurtosis=_sample_kurtosis(tails, n) if varied and n > 3 else None,
        autocorrelation_lag1=products / ss if varied else None,
        quantiles=_quantiles([_back(mark, centre) for mark in marks]),
        median_interval=None if rank is None else (_back(ordered[rank - 1], centre), _back(ordered[n - rank], centre)),
        arithmetic="double",
        digits=moment_digits(np.array(values), np.array(present), mean, ss),
    )


def _packed(values: Vector) -> Summary:
    """Of doubles, NaN where missing."""
    there = ~np.isnan(values)
    present = values[there]
    n = len(present)
    mean, d = deviations(present)
    ss = max(0.0, product_sum(d, d) - total(d) ** 2 / n)
    aligned = np.full(len(values), math.nan)
    aligned[there] = d
    both = there[1:] & there[:-1]
    products = product_sum(aligned[1:][both], aligned[:-1][both])
    cubes = product_sum(d * d, d)
    z = d / (math.sqrt(ss / n) or 1.0)
    places = [divmod((n - 1) * quarter, 4) for quarter in range(5)]
    rank = median_rank(n)
    wanted = {min(place + k, n - 1) for place, _ in places for k in (0, 1)}
    ordered = np.partition(present, sorted(wanted | ({rank - 1, n - rank} if rank else set())))
    marks = []
    for place, rest in places:
        low, high = float(ordered[place]), float(ordered[min(place + 1, n - 1)])
        marks.append(low + (high - low) * (rest / 4))
    varied = marks[0] < marks[-1] and ss > 0
    return Summary(
        n=n,
        mean=mean,
        ss=ss,
        sd=math.sqrt(ss / (n - 1)) if n > 1 else None,
        skewness=cubes / n / (ss / n) ** 1.5 * _skewness_factor(n) if varied and n > 2 else None,
        kurtosis=_sample_kurtosis(product_sum(z * z, z * z) / n, n) if varied and n > 3 else None,
        autocorrelation_lag1=products / ss if varied else None,
        quantiles=_quantiles(marks),
        median_interval=None if rank is None else (float(ordered[rank - 1]), float(ordered[n - rank])),
        arithmetic="double",
        digits=moment_digits(present, d, mean, ss),
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


def _sample_kurtosis(tails: Real, n: int) -> Real:
    """From the mean fourth power over the squared variance to the usual sample estimate (Joanes and Gill 1998, G2)."""
    return ((n + 1) * (tails - 3) + 6) * (n - 1) / ((n - 2) * (n - 3))


def median_rank(n: int) -> int | None:
    """The place from either end (1 is the first) of the values that bound the median with 95 %: signs are binomial."""
    special = load("scipy.special")
    rank = max(0, math.floor(float(special.bdtrik(0.025, n, 0.5)))) + 1
    while rank > 0 and float(special.bdtr(rank - 1, n, 0.5)) > 0.025:
        rank -= 1
    return rank or None
