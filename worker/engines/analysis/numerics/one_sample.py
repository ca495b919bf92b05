"""One sample: its mean, the middle of its differences, a share, and whether a difference is smaller than a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import t_quantile, t_two_sided
from worker.engines.analysis.numerics.ranks import mid_ranks

Vector = npt.NDArray[np.float64]

MOST_SIGNED = 50
"""Largest sample for which the signed-rank distribution is counted."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, and the two-sided p of its being 0. `std_error` and `df` are those of a mean."""

    value: float
    ci_low: float | None
    ci_high: float | None
    p: float
    std_error: float | None = None
    df: float | None = None


def mean_of(values: Vector) -> Estimate | None:
    """The mean by Student's t; None for fewer than two values or none that differ."""
    n = len(values)
    if n < 2:
        return None
    mean = math.fsum(values.tolist()) / n
    sd = math.sqrt(math.fsum(((values - mean) ** 2).tolist()) / (n - 1))
    if sd <= 0:
        return None
    error = sd / math.sqrt(n)
    half = t_quantile(0.975, n - 1) * error
    return Estimate(mean, mean - half, mean + half, t_two_sided(mean / error, n - 1), error, n - 1)


def signed_rank(differences: Vector) -> Estimate | None:
    """Wilcoxon's signed-rank test with the Hodges–Lehmann estimate (1963) and its interval, for at most
    :data:`MOST_SIGNED` values.

    p is the exact one over all signs given the ranks, so it holds with ties; differences of 0 are left out of it. The
    interval's limits are order statistics of the means of pairs; for fewer than six values there is none. None where
    all are 0.
    """
    moved = differences[differences != 0]
    if not len(moved) or len(differences) > MOST_SIGNED:
        return None
    # Mid-ranks are halves at the finest, so twice their sums are whole numbers.
    doubled = np.rint(2 * mid_ranks(np.abs(moved).tolist())).astype(np.int64)
    below = _share_below(doubled)
    positive = int(doubled[moved > 0].sum())
    smaller = min(positive, int(doubled.sum()) - positive)
    p = min(1.0, 2 * float(below[smaller]))
    n = len(differences)
    first, second = np.triu_indices(n)
    walsh = np.sort((differences[first] + differences[second]) / 2)
    untied = _share_below(2 * np.arange(1, n + 1, dtype=np.int64))[::2]
    left_out = int(np.searchsorted(untied, 0.025, side="right"))
    low = float(walsh[left_out - 1]) if left_out else None
    high = float(walsh[len(walsh) - left_out]) if left_out else None
    return Estimate(float(np.median(walsh)), low, high, p)


def _share_below(ranks: npt.NDArray[np.int64]) -> Vector:
    """For every sum up to the whole: the share of all choices of signs whose positive ranks sum to no more."""
    counts = np.zeros(int(ranks.sum()) + 1, dtype=np.float64)
    counts[0] = 1.0
    for rank in ranks.tolist():
        counts[rank:] = counts[rank:] + counts[: len(counts) - rank]
    return np.asarray(np.cumsum(counts) / 2.0 ** len(ranks), dtype=np.float64)


def share_of(hits: int, n: int, value: float) -> tuple[Estimate, float, float]:
    """A share with Clopper and Pearson's interval (1934) and the exact two-sided p of its being `value` (twice the
    smaller tail); and the one-sided p of its being above and below."""
    special = load("scipy.special")
    low = 0.0 if hits == 0 else float(special.betaincinv(hits, n - hits + 1, 0.025))
    high = 1.0 if hits == n else float(special.betaincinv(hits + 1, n - hits, 0.975))
    above = 1.0 if hits == 0 else float(special.betainc(hits, n - hits + 1, value))
    below = 1.0 if hits == n else float(special.betaincc(hits + 1, n - hits, value))
    return Estimate(hits / n, low, high, min(1.0, 2 * min(above, below))), above, below


def within_margin(value: float, std_error: float, df: float, margin: float) -> tuple[float, float, float]:
    """Two one-sided t tests (Schuirmann 1987) of a difference lying within ±`margin`: p, and the 90 % interval, which
    lies within the margin exactly where p < 0.05."""
    special = load("scipy.special")
    above = float(special.stdtr(df, -(value + margin) / std_error))
    below = float(special.stdtr(df, (value - margin) / std_error))
    half = t_quantile(0.95, df) * std_error
    return max(above, below), value - half, value + half
