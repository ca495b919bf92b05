"""The smallest effect that data of a size would have shown in four of five cases."""

from __future__ import annotations

import math
from collections.abc import Callable

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import Z95, normal_quantile

POWER = 0.8


def reach(level: float, *, one_sided: bool = False) -> float:
    """How many standard errors from 0 an effect must lie to be found at `level` with the power: z(1−α/2) + z(0.8)."""
    return normal_quantile(1 - (level if one_sided else level / 2)) + normal_quantile(POWER)


def correlation(n: int, level: float, *, one_sided: bool = False) -> float | None:
    """A rank correlation, by Fisher's z with the variance 1.06/(n − 3) of Fieller, Hartley and Pearson (1957)."""
    return math.tanh(reach(level, one_sided=one_sided) * math.sqrt(1.06 / (n - 3))) if n > 3 else None


def standardised(n: int, m: int, level: float, *, one_sided: bool = False) -> float:
    """A difference of two means in standard deviations."""
    return reach(level, one_sided=one_sided) * math.sqrt(1 / n + 1 / m)


def superiority(n: int, m: int, level: float, *, one_sided: bool = False) -> float:
    """The probability of superiority of two normal groups that far apart."""
    return 0.5 * math.erfc(-standardised(n, m, level, one_sided=one_sided) / 2)


def eta_squared(df1: float, df2: float, n: int, level: float) -> float:
    """A share of variance, by the noncentral F distribution."""
    special = load("scipy.special")
    critical = float(special.fdtri(df1, df2, 1 - level))
    noncentrality = _solve(lambda nc: float(special.ncfdtr(df1, df2, nc, critical)))
    return noncentrality / (noncentrality + n)


def cramers_v(df: float, n: int, smaller: int, level: float) -> float:
    """Cramér's V, by the noncentral chi-square distribution; `smaller` is the lesser number of levels less one."""
    special = load("scipy.special")
    critical = float(special.chdtri(df, level))
    return min(1.0, math.sqrt(_solve(lambda nc: float(special.chndtr(critical, df, nc))) / (n * smaller)))


def from_interval(low: float, high: float, level: float, *, one_sided: bool = False) -> float:
    """For an effect whose 95 % interval is near normal: its standard error is a fourth of the interval or so."""
    return reach(level, one_sided=one_sided) * (high - low) / (2 * Z95)


def share(value: float, n: int, level: float, *, one_sided: bool = False) -> float:
    """The distance of a share from `value`."""
    return reach(level, one_sided=one_sided) * math.sqrt(value * (1 - value) / n)


def _solve(missed: Callable[[float], float]) -> float:
    """The noncentrality at which a test misses an effect in one of five cases."""
    low, high = 0.0, 10.0
    while missed(high) > 1 - POWER:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if missed(middle) > 1 - POWER else (low, middle)
    return (low + high) / 2
