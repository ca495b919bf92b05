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


def noncentral_chi2_interval(x: float, df: float) -> tuple[float, float]:
    """95 % limits of the noncentrality of a chi-square statistic, by inverting its distribution."""
    special = load("scipy.special")
    return _noncentrality(lambda nc: float(special.chndtr(x, df, nc)), x + df)


def noncentral_f_interval(f: float, df1: float, df2: float) -> tuple[float, float]:
    """95 % limits of the noncentrality of an F statistic, by inverting its distribution."""
    special = load("scipy.special")
    return _noncentrality(lambda nc: float(special.ncfdtr(df1, df2, nc, f)), f * df1 + df1)


def _noncentrality(below: Callable[[float], float], scale: float) -> tuple[float, float]:
    """Where the statistic lies at the upper and at the lower 2.5 % point; 0 where even 0 is too much."""

    def limit(probability: float) -> float:
        if below(0.0) <= probability:
            return 0.0
        low, high = 0.0, max(10.0, 4.0 * scale)
        while below(high) > probability:
            high *= 2
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if below(middle) > probability else (low, middle)
        return (low + high) / 2

    return limit(0.975), limit(0.025)
