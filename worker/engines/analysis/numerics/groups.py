"""Sums of squares within and between groups, and tests that compare groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from worker.engines.analysis.numerics import exact
from worker.engines.analysis.numerics.distributions import chi2_upper, f_upper
from worker.engines.analysis.numerics.double_double import Vector
from worker.engines.analysis.numerics.large_sums import deviations, product_sum, total
from worker.engines.analysis.numerics.ranks import mid_ranks, tie_sizes
from worker.engines.analysis.numerics.sums import compensated_mean, shifted
from worker.engines.analysis.numerics.trust import MOST, UNIT, digits, roundings
from worker.engines.analysis.packed import PackedNumbers, floats_of

Groups = Mapping[str, Sequence[str | None]]
"""Number cells by level, in the order of the levels; none is missing."""


@dataclass(frozen=True, slots=True)
class OneWay:
    """The one-way analysis of variance. `f` is None where nothing varies within the groups."""

    df_between: int
    df_within: int
    ss_between: float
    ss_within: float
    ms_within: float
    residual_sd: float
    f: float | None
    r_squared: float | None
    omega_squared: float | None
    arithmetic: str
    digits: int
    """Digits of the sums of squares that can be trusted, at most 15."""


def one_way(groups: Groups) -> OneWay:
    """Needs two groups or more and more values than groups."""
    n = sum(len(cells) for cells in groups.values())
    if any(isinstance(cells, PackedNumbers) for cells in groups.values()):
        return _one_way_packed([floats_of(cells) for cells in groups.values()])
    if n <= exact.MAX_VALUES:
        try:
            return _one_way_exact(groups, n)
        except exact.TooWide:
            pass
    return _one_way_double(groups, n)


def _one_way_exact(groups: Groups, n: int) -> OneWay:
    scaled = exact.scale([Decimal(cell) for cells in groups.values() for cell in cells if cell is not None])
    unit = scaled.unit**2
    total = sum(scaled.integers)
    squares = sum(value * value for value in scaled.integers)
    explained, start = Fraction(0), 0
    for cells in groups.values():
        part = sum(scaled.integers[start : start + len(cells)])
        explained += Fraction(part * part, len(cells))
        start += len(cells)
    between = unit * (explained - Fraction(total * total, n))
    within = unit * (squares - explained)
    df1, df2 = len(groups) - 1, n - len(groups)
    mean_square = within / df2
    whole = between + within
    return OneWay(
        df_between=df1,
        df_within=df2,
        ss_between=exact.to_float(between),
        ss_within=exact.to_float(within),
        ms_within=exact.to_float(mean_square),
        residual_sd=exact.root(mean_square),
        f=exact.to_float(between / df1 / mean_square) if mean_square else None,
        r_squared=exact.to_float(between / whole) if whole else None,
        omega_squared=exact.to_float((between - df1 * mean_square) / (whole + mean_square)) if whole else None,
        arithmetic="exact",
        digits=MOST,
    )


def _one_way_double(groups: Groups, n: int) -> OneWay:
    _, every = shifted([cell for cells in groups.values() for cell in cells if cell is not None])
    ends = np.cumsum([len(cells) for cells in groups.values()])
    values = np.split(np.array(every), ends[:-1])
    grand = compensated_mean(every)
    means = [compensated_mean(array.tolist()) for array in values]
    between = math.fsum(len(array) * (mean - grand) ** 2 for array, mean in zip(values, means, strict=True))
    within = math.fsum(d * d for array, mean in zip(values, means, strict=True) for d in (array - mean).tolist())
    df1, df2 = len(groups) - 1, n - len(groups)
    mean_square = within / df2
    whole = between + within
    return OneWay(
        df_between=df1,
        df_within=df2,
        ss_between=between,
        ss_within=within,
        ms_within=mean_square,
        residual_sd=math.sqrt(mean_square),
        f=between / df1 / mean_square if mean_square else None,
        r_squared=between / whole if whole else None,
        omega_squared=(between - df1 * mean_square) / (whole + mean_square) if whole else None,
        arithmetic="double",
        digits=_digits(values, means, grand, between, within),
    )


def _one_way_packed(values: Sequence[Vector]) -> OneWay:
    """On doubles, by sums as good as correctly rounded ones."""
    n = sum(map(len, values))
    grand = total(np.array([total(array) for array in values])) / n
    inner = [deviations(array - grand) for array in values]
    between = math.fsum(len(d) * mean * mean for mean, d in inner)
    within = math.fsum(product_sum(d, d) for _, d in inner)
    df1, df2 = len(values) - 1, n - len(values)
    mean_square = within / df2
    whole = between + within
    return OneWay(
        df_between=df1,
        df_within=df2,
        ss_between=between,
        ss_within=within,
        ms_within=mean_square,
        residual_sd=math.sqrt(mean_square),
        f=between / df1 / mean_square if mean_square else None,
        r_squared=between / whole if whole else None,
        omega_squared=(between - df1 * mean_square) / (whole + mean_square) if whole else None,
        arithmetic="double",
        digits=_digits(values, [grand + mean for mean, _ in inner], grand, between, within),
    )


def _digits(values: Sequence[Vector], means: Sequence[float], grand: float, between: float, within: float) -> int:
    """Of both sums of squares, by what reading the values as doubles may have changed."""
    every = np.concatenate(values)
    own = np.repeat(np.array(means), [len(array) for array in values])
    off = roundings(every)
    return min(
        digits(2 * float((off * np.abs(own - grand)).sum()) + 4 * UNIT * between, between) if between > 0 else MOST,
        digits(2 * float((off * np.abs(every - own)).sum()) + 4 * UNIT * within, within) if within > 0 else MOST,
    )


def brown_forsythe(groups: Groups) -> tuple[float, float] | None:
    """F and p of the test for equal spreads: an analysis of variance of distances from the group medians."""
    arrays = [floats_of(cells) for cells in groups.values()]
    table = _one_way_packed([np.abs(values - np.median(values)) for values in arrays])
    if table.f is None:
        return None
    return table.f, f_upper(table.f, table.df_between, table.df_within)


def welch_anova(groups: Groups) -> tuple[float, float, float, float] | None:
    """F, both degrees of freedom and p of Welch's (1951) test of equal means; None if a group does not vary."""
    if any(len(cells) < 2 for cells in groups.values()):
        return None
    arrays = [floats_of(cells) for cells in groups.values()]
    variances = [float(array.var(ddof=1)) for array in arrays]
    if min(variances) <= 0:
        return None
    k = len(arrays)
    weights = [len(array) / variance for array, variance in zip(arrays, variances, strict=True)]
    total = math.fsum(weights)
    centre = math.fsum(w * float(a.mean()) for w, a in zip(weights, arrays, strict=True)) / total
    between = math.fsum(w * (float(a.mean()) - centre) ** 2 for w, a in zip(weights, arrays, strict=True)) / (k - 1)
    unevenness = math.fsum((1 - w / total) ** 2 / (len(a) - 1) for w, a in zip(weights, arrays, strict=True))
    f = between / (1 + 2 * (k - 2) * unevenness / (k * k - 1))
    df2 = (k * k - 1) / (3 * unevenness)
    return f, float(k - 1), df2, f_upper(f, k - 1, df2)


def kruskal_wallis(groups: Groups) -> tuple[float, float, float] | None:
    """H (corrected for ties), p and epsilon squared; None if all values are equal."""
    values = np.concatenate([floats_of(cells) for cells in groups.values()])
    n = len(values)
    ranks = mid_ranks(values)
    correction = 1 - sum(t**3 - t for t in tie_sizes(values)) / (n**3 - n)
    if correction <= 0:
        return None
    h, start = 0.0, 0
    for cells in groups.values():
        h += float(ranks[start : start + len(cells)].sum()) ** 2 / len(cells)
        start += len(cells)
    h = (12 / (n * (n + 1)) * h - 3 * (n + 1)) / correction
    return h, chi2_upper(h, len(groups) - 1), h / (n - 1)
