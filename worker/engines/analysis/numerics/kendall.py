"""Kendall's τ-b: its value, interval and p."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import Z95, normal_two_sided
from worker.engines.analysis.numerics.permutation import MAX_KENDALL, kendall_p
from worker.engines.analysis.numerics.ranks import tie_sizes

Vector = npt.NDArray[np.float64]

_INFLUENCES = 2_000
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Kendall:
    """`method` is `exact` (all orders), or `normal` with the variance corrected for ties."""

    tau: float
    ci_low: float | None
    ci_high: float | None
    p: float
    method: str


def kendall(x: Vector, y: Vector) -> Kendall | None:
    """τ-b of two columns of equal length (four values at least); None where one is constant.

    The interval is Fisher's z with the variance that the data show, which holds with ties and heavy tails, where
    Fieller's 0.437/(n − 4) is too small; none for a perfect τ or fewer than five values. The p is exact up to ten
    values without ties.
    """
    n = len(x)
    if float(np.ptp(x)) <= 0 or float(np.ptp(y)) <= 0:
        return None
    ties_x, ties_y = tie_sizes(x), tie_sizes(y)
    tied = len(ties_x) < n or len(ties_y) < n
    s = score(x, y)
    pairs = n * (n - 1) / 2
    spread_x = pairs - sum(t * (t - 1) for t in ties_x) / 2
    spread_y = pairs - sum(t * (t - 1) for t in ties_y) / 2
    tau = max(-1.0, min(1.0, s / math.sqrt(spread_x) / math.sqrt(spread_y)))
    low: float | None = None
    high: float | None = None
    if n > 4 and abs(tau) < 1:
        half = Z95 * math.sqrt(_variance(x, y, tau)) / (1 - tau * tau)
        low, high = math.tanh(math.atanh(tau) - half), math.tanh(math.atanh(tau) + half)
    if n <= MAX_KENDALL and not tied:
        return Kendall(tau, low, high, kendall_p(round(s), n), "exact")
    variance = score_variance(n, ties_x, ties_y)
    p = normal_two_sided(s / math.sqrt(variance)) if variance > 0 else 1.0
    return Kendall(tau, low, high, p, "normal")


def _variance(x: Vector, y: Vector, tau: float) -> float:
    """The variance of τ-b by the influence of each row, with the term for pairs that matters in small samples (as in
    Noether 1967, extended to ties by the delta method). Beyond 2,000 rows the influences are those of evenly spaced
    ones.
    """
    n = len(x)
    step = -(-n // _INFLUENCES)
    x, y = x[::step], y[::step]
    m = len(x)
    agree, apart_x, apart_y = np.zeros(m), np.zeros(m), np.zeros(m)
    for start in range(0, m, _BLOCK):
        rows = slice(start, start + _BLOCK)
        dx = np.sign(x[rows, None] - x[None, :])
        dy = np.sign(y[rows, None] - y[None, :])
        agree[rows] = (dx * dy).sum(axis=1) / (m - 1)
        apart_x[rows] = np.abs(dx).sum(axis=1) / (m - 1)
        apart_y[rows] = np.abs(dy).sum(axis=1) / (m - 1)
    mean_x, mean_y = float(apart_x.mean()), float(apart_y.mean())
    if mean_x <= 0 or mean_y <= 0:
        return 0.437 / (n - 4)
    influence = agree / math.sqrt(mean_x * mean_y) - tau / 2 * (apart_x / mean_x + apart_y / mean_y)
    influence = influence - influence.mean()
    among = math.fsum((influence * influence).tolist()) / (m - 1)
    return 4 * (n - 2) / (n - 1) * among / n + 2 * (1 - tau * tau) / (n * (n - 1))


def score(x: Vector, y: Vector) -> float:
    """Concordant less discordant pairs (Kendall's S)."""
    n = len(x)
    if n > 2_000:
        # scipy counts in n log n; τ-b times what it was divided by is S, a whole number.
        ties_x, ties_y = tie_sizes(x), tie_sizes(y)
        pairs = n * (n - 1) / 2
        spread_x = pairs - sum(t * (t - 1) for t in ties_x) / 2
        spread_y = pairs - sum(t * (t - 1) for t in ties_y) / 2
        tau = float(load("scipy.stats").kendalltau(x, y, method="asymptotic").statistic)
        return float(round(tau * math.sqrt(spread_x) * math.sqrt(spread_y)))
    total = 0.0
    for start in range(0, n, _BLOCK):
        dx = np.sign(x[start : start + _BLOCK, None] - x[None, :])
        dy = np.sign(y[start : start + _BLOCK, None] - y[None, :])
        total += float((dx * dy).sum())
    return total / 2


def score_variance(n: int, ties_x: list[int], ties_y: list[int]) -> float:
    """Of S under independence, with ties in either variable (Kendall 1970)."""

    def part(sizes: list[int]) -> float:
        return sum(k * (k - 1) * (2 * k + 5) for k in sizes)

    variance = (n * (n - 1) * (2 * n + 5) - part(ties_x) - part(ties_y)) / 18
    triples = sum(k * (k - 1) * (k - 2) for k in ties_x) * sum(k * (k - 1) * (k - 2) for k in ties_y)
    variance += triples / (9 * n * (n - 1) * (n - 2))
    return variance + sum(k * (k - 1) for k in ties_x) * sum(k * (k - 1) for k in ties_y) / (2 * n * (n - 1))
