"""Two values of each subject: paired t, Wilcoxon's signed ranks; more than two: Friedman's test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.distributions import (
    Z95,
    chi2_upper,
    normal_two_sided,
    t_quantile,
    t_two_sided,
)
from worker.engines.analysis.numerics.ranks import mid_ranks, steps, tie_sizes

Vector = npt.NDArray[np.float64]

_EXACT_RANKS = 50
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class PairedT:
    """Mean of the differences (first less second) with its 95 % interval, and the standardised difference."""

    difference: float
    ci_low: float
    ci_high: float
    t: float
    df: float
    p: float
    hedges_g: float
    hedges_g_ci_low: float
    hedges_g_ci_high: float
    correlation: float | None


def paired_t(a: Vector, b: Vector) -> PairedT | None:
    """None for fewer than two pairs or differences that do not vary.

    Hedges' g is the mean difference over the root of the mean of both variances (d_av), with the small-sample factor;
    its interval has the variance 2 (1 − r)/n + g²/(2 (n − 1)) (Borenstein and others 2009).
    """
    n = len(a)
    if n < 2:
        return None
    differences = a - b
    spread = float(differences.std(ddof=1))
    pooled = math.sqrt((float(a.var(ddof=1)) + float(b.var(ddof=1))) / 2)
    if spread <= 1e-14 * float(np.max(np.abs(differences), initial=0.0)) or pooled <= 0:
        return None
    mean, error = float(differences.mean()), spread / math.sqrt(n)
    half = t_quantile(0.975, n - 1) * error
    product = float(a.std(ddof=1)) * float(b.std(ddof=1))
    r = float(((a - a.mean()) * (b - b.mean())).sum()) / (n - 1) / product if product > 0 else None
    g = mean / pooled * (1 - 3 / (4 * (n - 1) - 1)) if n > 2 else mean / pooled
    g_half = Z95 * math.sqrt(2 * (1 - (r or 0.0)) / n + g * g / (2 * (n - 1)))
    p = t_two_sided(mean / error, n - 1)
    return PairedT(mean, mean - half, mean + half, mean / error, n - 1, p, g, g - g_half, g + g_half, r)


@dataclass(frozen=True, slots=True)
class SignedRanks:
    """`w` is the smaller rank sum; `median` and its 95 % interval are Hodges and Lehmann's (1963) of the differences,
    without an interval for fewer than six; `rank_biserial` runs from −1 to 1; `n` counts differences other than 0."""

    w: float
    p: float
    method: str
    median: float
    ci_low: float | None
    ci_high: float | None
    rank_biserial: float
    n: int


def rounding(sizes: Vector, counts: npt.NDArray[np.intp] | int = 1) -> Vector:
    """How far means of `counts` doubles may be off from those of the decimals they were written as: (m + 1) ε mean|x|.

    `sizes` are the means of the absolute values. Reading, m − 1 sums and a division give no more than half of that
    (Higham 2002, section 4.2); the other half covers the difference that is taken of two.
    """
    return np.asarray((np.asarray(counts) + 1) * _EPSILON * sizes, dtype=np.float64)


def signed_ranks(a: Vector, b: Vector | None = None, off: Vector | None = None) -> SignedRanks | None:
    """Wilcoxon's test of `a` less `b`; differences of 0 are left out of it. None where no other is left.

    Differences count as equal, and as 0, where they are so within `off`, which is what :func:`rounding` gives for `a`
    and `b` (0.3 − 0.2 and 0.2 − 0.1 are a tie); without `b`, where `a` has differences, only where they are the same.
    Up to 50 differences p is the exact one over all signs given the ranks, so it holds with ties; else normal with
    corrections for ties and continuity. The interval's limits are order statistics of the means of pairs of all
    differences.
    """
    differences = a if b is None else a - b
    if off is None:
        off = np.zeros(len(a)) if b is None else rounding(np.abs(a)) + rounding(np.abs(b))
    there = np.abs(differences) > off
    moved = differences[there]
    n = len(moved)
    if n < 1:
        return None
    sizes = steps(np.abs(moved), off[there])
    ranks = mid_ranks(sizes)
    above = float(ranks[moved > 0].sum())
    smaller = min(above, n * (n + 1) / 2 - above)
    if n <= _EXACT_RANKS:
        # Mid-ranks are halves at the finest, so twice their sums are whole numbers.
        below = _share_below(np.rint(2 * ranks).astype(np.int64))
        p, method = min(1.0, 2 * float(below[round(2 * smaller)])), "exact"
    else:
        variance = n * (n + 1) * (2 * n + 1) / 24 - sum(t**3 - t for t in tie_sizes(sizes)) / 48
        z = max(0.0, n * (n + 1) / 4 - smaller - 0.5) / math.sqrt(variance)
        p, method = normal_two_sided(z), "normal"
    median, low, high = _hodges_lehmann(differences)
    return SignedRanks(smaller, p, method, median, low, high, (2 * above) / (n * (n + 1) / 2) - 1, n)


def _share_below(ranks: npt.NDArray[np.int64]) -> Vector:
    """For every sum up to the whole: the share of all choices of signs whose positive ranks sum to no more."""
    counts = np.zeros(int(ranks.sum()) + 1, dtype=np.float64)
    counts[0] = 1.0
    for rank in ranks.tolist():
        counts[rank:] = counts[rank:] + counts[: len(counts) - rank]
    return np.asarray(np.cumsum(counts) / 2.0 ** len(ranks), dtype=np.float64)


def _hodges_lehmann(differences: Vector) -> tuple[float, float | None, float | None]:
    """Median of the means of all pairs, with exact limits up to 50 differences and those of the normal approximation
    beyond (at most 1,000 differences are taken, evenly spaced in order)."""
    ordered = np.sort(differences)
    if len(ordered) > 1_000:
        ordered = ordered[np.linspace(0, len(ordered) - 1, 1_000).round().astype(np.intp)]
    n, full = len(ordered), len(differences)
    i, j = np.triu_indices(n)
    means = np.sort((ordered[i] + ordered[j]) / 2)
    if n <= _EXACT_RANKS:
        left_out = int(np.searchsorted(_share_below(np.arange(1, n + 1, dtype=np.int64)), 0.025, side="right"))
        if not left_out:
            return float(np.median(means)), None, None
        return float(np.median(means)), float(means[left_out - 1]), float(means[len(means) - left_out])
    reach = Z95 * math.sqrt(full * (full + 1) * (2 * full + 1) / 24) / (full * (full + 1) / 2)
    places = np.clip(np.array([0.5 - reach, 0.5 + reach]) * len(means), 0, len(means) - 1)
    low, high = means[math.floor(places[0])], means[math.ceil(places[1])]
    return float(np.median(means)), float(low), float(high)


@dataclass(frozen=True, slots=True)
class Friedman:
    """Friedman's chi-square, corrected for ties, and Kendall's coefficient of concordance W (0 to 1)."""

    chi2: float
    df: int
    p: float
    w: float


def friedman(values: Vector, off: Vector | None = None) -> Friedman | None:
    """Of subjects (rows) under conditions (columns); None where every subject's values are equal.

    A subject's values count as equal where they are so within `off`, of the same shape; by default where they are the
    same.
    """
    n, k = values.shape
    places = [steps(row, 0.0 if off is None else off[i]) for i, row in enumerate(values)]
    ranks = np.vstack([mid_ranks(row) for row in places])
    ties = sum(t**3 - t for row in places for t in tie_sizes(row))
    correction = 1 - ties / (n * k * (k * k - 1))
    if correction <= 0:
        return None
    sums = ranks.sum(axis=0)
    chi2 = (12 / (n * k * (k + 1)) * float((sums * sums).sum()) - 3 * n * (k + 1)) / correction
    return Friedman(chi2, k - 1, chi2_upper(chi2, k - 1), chi2 / (n * (k - 1)))


@dataclass(frozen=True, slots=True)
class Repeated:
    """The analysis of variance of repeated measures with Greenhouse and Geisser's correction."""

    f: float
    df1: float
    df2: float
    epsilon: float
    partial_eta_squared: float


def repeated_measures(values: Vector) -> Repeated | None:
    """Of subjects (rows) under conditions (columns); None where nothing is left beside subjects and conditions."""
    n, k = values.shape
    centred = values - values.mean(axis=1, keepdims=True)
    effect = centred.mean(axis=0)
    between = n * float((effect * effect).sum())
    left = centred - effect
    within = float((left * left).sum())
    if within <= 1e-24 * max(float((centred * centred).sum()), 1e-300) or n < 2:
        return None
    covariance = np.cov(centred, rowvar=False)
    epsilon = float(np.trace(covariance)) ** 2 / ((k - 1) * float((covariance * covariance).sum()))
    epsilon = min(1.0, max(1 / (k - 1), epsilon))
    f = between / (k - 1) / (within / ((n - 1) * (k - 1)))
    return Repeated(f, (k - 1) * epsilon, (n - 1) * (k - 1) * epsilon, epsilon, between / (between + within))
