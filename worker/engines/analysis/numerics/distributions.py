"""Tail probabilities and quantiles, from `scipy.special` alone (`scipy.stats` takes seconds to import)."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

from worker.engines.analysis.lazy import load


def t_two_sided(t: float, df: float) -> float:
    """P(|T| ≥ |t|) by the incomplete beta function, which keeps its digits far out in the tails."""
    return _tail(load("scipy.special").betainc(df / 2, 0.5, df / (df + t * t)))


def t_quantile(probability: float, df: float) -> float:
    return float(load("scipy.special").stdtrit(df, probability))


def f_upper(f: float, df1: float, df2: float) -> float:
    return _tail(load("scipy.special").fdtrc(df1, df2, f))


def chi2_upper(x: float, df: float) -> float:
    return _tail(load("scipy.special").chdtrc(df, x))


def normal_two_sided(z: float) -> float:
    return _tail(math.erfc(abs(z) / math.sqrt(2)))


def _tail(probability: float) -> float:
    """No tail of these distributions is empty: what is too small for a double is the smallest normal one."""
    return max(float(probability), sys.float_info.min)


def normal_quantile(probability: float) -> float:
    return float(load("scipy.special").ndtri(probability))


Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values, in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's (1995) adjusted p-values, in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i], reverse=True)
    adjusted = [0.0] * len(p_values)
    lowest = 1.0
    for place, i in enumerate(order):
        lowest = min(lowest, len(p_values) / (len(p_values) - place) * p_values[i])
        adjusted[i] = lowest
    return adjusted


def noncentral_chi2_interval(x: float, df: float) -> tuple[float, float]:
    """95 % limits of the noncentrality of a chi-square statistic (Kent and Hainsworth 1995, symmetric range).

    They hold the values whose root is as near to that of `x` as it is in 95 % of cases. The lower limit is above 0
    exactly where p < 0.05, and the upper one never shrinks to 0 as that of equal tails does for small statistics.
    """
    special = load("scipy.special")
    return _noncentrality(lambda at, nc: float(special.chndtr(at, df, nc)), x)


def noncentral_f_interval(f: float, df1: float, df2: float) -> tuple[float, float]:
    """95 % limits of the noncentrality of an F statistic, as for :func:`noncentral_chi2_interval`."""
    special = load("scipy.special")
    # So far out the limits grow in proportion to F, and the distribution's series no longer settles.
    scale = max(1.0, f / _FAR)
    low, high = _noncentrality(lambda at, nc: float(special.ncfdtr(df1, df2, nc, at / df1)), f / scale * df1)
    return low * scale, high * scale


def _noncentrality(below: Callable[[float, float], float], x: float) -> tuple[float, float]:
    """The noncentralities for which `x` is not among the 5 % whose root is farthest from theirs."""
    root = math.sqrt(x)

    def nearer(noncentrality: float) -> float:
        """The chance of a statistic nearer to the noncentrality than `x`, by roots."""
        middle = math.sqrt(noncentrality)
        reach = abs(root - middle)
        under = max(0.0, middle - reach) ** 2
        return below((middle + reach) ** 2, noncentrality) - (below(under, noncentrality) if under > 0 else 0.0)

    def limit(inside: float, outside: float) -> float:
        for _ in range(100):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if nearer(middle) > _CONTENT else (middle, outside)
        return (inside + outside) / 2

    far = x + 10.0
    while nearer(far) <= _CONTENT:
        far *= 2
    return limit(x, 0.0) if nearer(0.0) > _CONTENT else 0.0, limit(x, far)


_CONTENT = 0.95
_FAR = 1e6
