"""Two independent groups: Welch's t, Hedges' g, Mann–Whitney's U."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from worker.engines.analysis.numerics.distributions import Z95, normal_two_sided, t_quantile, t_two_sided
from worker.engines.analysis.numerics.double_double import Vector
from worker.engines.analysis.numerics.ranks import mid_ranks, tie_sizes
from worker.engines.analysis.numerics.sums import summarise
from worker.engines.analysis.packed import floats_of

_EXACT_U = 2_500
"""Largest product of the group sizes for which U's distribution is enumerated."""


@dataclass(frozen=True, slots=True)
class Welch:
    """Difference of means (first minus second) with its 95 % interval, and the standardised difference."""

    difference: float
    ci_low: float
    ci_high: float
    t: float
    df: float
    p: float
    hedges_g: float
    g_low: float
    g_high: float


def welch_t(a: Sequence[str | None], b: Sequence[str | None]) -> Welch | None:
    """None where a group has one value or neither varies.

    Hedges' g is the difference over the pooled standard deviation with the small-sample factor 1 − 3/(4 df − 1);
    its interval is the normal one with Hedges and Olkin's (1985) variance.
    """
    first, second = summarise(a), summarise(b)
    if first.sd is None or second.sd is None:
        return None
    n, m = first.n, second.n
    if not first.sd and not second.sd:
        return None
    # In units of a power of two next to the spread: nothing is lost, and no square is too large or too small.
    unit = math.ldexp(1.0, math.frexp(max(first.sd, second.sd))[1] - 1)
    sa, sb = first.sd / unit, second.sd / unit
    va, vb = sa**2 / n, sb**2 / m
    pooled = math.sqrt(((n - 1) * sa**2 + (m - 1) * sb**2) / (n + m - 2)) * unit
    difference = first.mean - second.mean
    error = math.sqrt(va + vb) * unit
    df = (va + vb) ** 2 / (va * va / (n - 1) + vb * vb / (m - 1))
    half = t_quantile(0.975, df) * error
    g = difference / pooled * (1 - 3 / (4 * (n + m - 2) - 1))
    g_half = Z95 * math.sqrt((n + m) / (n * m) + g * g / (2 * (n + m)))
    return Welch(
        difference=difference,
        ci_low=difference - half,
        ci_high=difference + half,
        t=difference / error,
        df=df,
        p=t_two_sided(difference / error, df),
        hedges_g=g,
        g_low=g - g_half,
        g_high=g + g_half,
    )


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """`superiority` is the chance that a value of the first group is above one of the second (ties count half)."""

    u: float
    p: float
    method: str
    superiority: float
    ci_low: float
    ci_high: float


def mann_whitney(a: Sequence[str | None], b: Sequence[str | None]) -> MannWhitney | None:
    """None where all values are equal. Exact without ties in small groups, else normal with both corrections.

    The interval of the superiority has DeLong's (1988) variance on the logit scale; where one group lies wholly
    above the other it is Wilson's, with the smaller group's size.
    """
    x, y = floats_of(a), floats_of(b)
    n, m = len(x), len(y)
    together = np.concatenate([x, y])
    ties = tie_sizes(together)
    if len(ties) == 1:
        return None
    ranks = mid_ranks(together)
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    if max(ties) == 1 and n * m <= _EXACT_U:
        p, method = _exact_p(u, n, m), "exact"
    else:
        total = n + m
        variance = n * m / 12 * (total + 1 - sum(t**3 - t for t in ties) / (total * (total - 1)))
        z = max(0.0, abs(u - n * m / 2) - 0.5) / math.sqrt(variance)
        p, method = normal_two_sided(z), "normal"
    low, high = _superiority_interval(x, y, ranks, u / (n * m))
    return MannWhitney(u, p, method, u / (n * m), low, high)


def _exact_p(u: float, n: int, m: int) -> float:
    """Two-sided: twice the smaller tail of the number of ways to reach U (Mann and Whitney's recursion)."""
    smaller = round(min(u, n * m - u))
    return min(1.0, float(Fraction(2 * sum(_ways(min(n, m), max(n, m))[: smaller + 1]), math.comb(n + m, n))))


@lru_cache(maxsize=64)
def _ways(n: int, m: int) -> tuple[int, ...]:
    """In how many ways U is 0, 1, … up to the middle of its distribution, which is symmetric."""
    most = n * m // 2
    counts = [1] + [0] * most
    for i in range(1, n + 1):
        # Multiply by (1 - q**(m + i)) / (1 - q**i): the Gaussian binomial coefficient.
        for k in range(most, m + i - 1, -1):
            counts[k] -= counts[k - m - i]
        for k in range(i, most + 1):
            counts[k] += counts[k - i]
    return tuple(counts)


def _superiority_interval(
    x: Vector,
    y: Vector,
    ranks: Vector,
    superiority: float,
) -> tuple[float, float]:
    n, m = len(x), len(y)
    if superiority in (0.0, 1.0) or min(n, m) < 2:
        return _wilson(superiority, min(n, m))
    # Placements: for each value the share of the other group below it.
    above = (ranks[:n] - mid_ranks(x)) / m
    below = 1 - (ranks[n:] - mid_ranks(y)) / n
    variance = float(above.var(ddof=1)) / n + float(below.var(ddof=1)) / m
    centre = math.log(superiority / (1 - superiority))
    half = Z95 * math.sqrt(variance) / (superiority * (1 - superiority))
    return 1 / (1 + math.exp(half - centre)), 1 / (1 + math.exp(-half - centre))


def _wilson(share: float, n: int) -> tuple[float, float]:
    z2 = Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
