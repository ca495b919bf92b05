"""The distribution of the studentised range, for comparisons of all pairs of groups."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load

Vector = npt.NDArray[np.float64]

_NODES = 96
_FAR = 8.5
_TAIL = 1e-15
_NORMAL = 25_000.0


@cache
def _nodes(count: int) -> tuple[Vector, Vector]:
    points, weights = np.polynomial.legendre.leggauss(count)
    return np.asarray(points, dtype=np.float64), np.asarray(weights, dtype=np.float64)


def range_upper(q: float, groups: int, df: float) -> float:
    """P(Q ≥ q) for `groups` groups and `df` degrees of freedom (at least 1), to about 1e-10.

    By two Gauss–Legendre sums: over the spread's distribution, and over the place of the largest value
    (Copenhaver and Holland 1988).
    """
    if q <= 0:
        return 1.0
    special = load("scipy.special")
    points, weights = _nodes(_NODES)
    z = _FAR * points
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * weights * _FAR
    upper = special.ndtr(z)
    if df > _NORMAL:
        spread, share = np.ones(1), np.ones(1)
    else:
        low, high = (math.sqrt(2 * float(special.gammaincinv(df / 2, p)) / df) for p in (_TAIL, 1 - 1e-14))
        spread = (high - low) / 2 * points + (high + low) / 2
        log_density = (
            math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2)
            + (df - 1) * np.log(spread) - df * spread * spread / 2
        )  # fmt: skip
        share = np.exp(log_density) * weights * (high - low) / 2
    inside = upper[None, :] - special.ndtr(z[None, :] - q * spread[:, None])
    below = groups * (density[None, :] * inside ** (groups - 1)).sum(axis=1)
    return min(1.0, max(0.0, float((share * (1 - below)).sum())))


def range_quantile(probability: float, groups: int, df: float) -> float:
    """The q with P(Q ≤ q) = `probability`."""
    low, high = 0.0, 10.0
    while range_upper(high, groups, df) > 1 - probability and high < 1e6:
        high *= 2
    found = load("scipy.optimize").brentq(
        lambda q: range_upper(q, groups, df) - (1 - probability), low, high, xtol=1e-10, rtol=1e-10
    )
    return float(found)
