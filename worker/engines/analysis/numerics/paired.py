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
from worker.engines.analysis.numerics.ranks import mid_ranks, tie_sizes

Vector = npt.NDArray[np.float64]

_EXACT_RANKS = 50


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
    """`w` is the smaller rank sum; `median` and its 95 % interval are Hodges and Lehmann's of the differences;
    `rank_biserial` runs from −1 to 1."""

    w: float
    p: float
    method: str
    median: float
    ci_low: float
    ci_high: float
    rank_biserial: float
    n: int


def signed_ranks(a: Vector, b: Vector) -> SignedRanks | None:
    """Wilcoxon's test; zero differences are left out. Exact up to 50 differences without ties, else normal with
    corrections for ties and continuity. None where no difference is left."""
    differences = (a - b)[a != b]
    n = len(differences)
    if n < 1:
        return None
    sizes = np.abs(differences)
    ranks = mid_ranks(sizes)
    above = float(ranks[differences > 0].sum())
    below = n * (n + 1) / 2 - above
    ties = tie_sizes(sizes)
    variance = n * (n + 1) * (2 * n + 1) / 24 - sum(t**3 - t for t in ties) / 48
    if n <= _EXACT_RANKS and max(ties) == 1:
        p, method = _exact_p(round(min(above, below)), n), "exact"
    else:
        z = max(0.0, abs(above - n * (n + 1) / 4) - 0.5) / math.sqrt(variance)
        p, method = normal_two_sided(z), "normal"
    median, low, high = _hodges_lehmann(a - b)
    return SignedRanks(min(above, below), p, method, median, low, high, (above - below) / (n * (n + 1) / 2), n)


def _exact_p(smaller: int, n: int) -> float:
    counts = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(len(counts) - 1, rank - 1, -1):
            counts[total] += counts[total - rank]
    return float(min(1.0, 2 * sum(counts[: smaller + 1]) / 2**n))


def _hodges_lehmann(differences: Vector) -> tuple[float, float, float]:
    """Median of the means of all pairs, with the limits of the normal approximation (at most 1,000 differences are
    taken, evenly spaced in order)."""
    ordered = np.sort(differences)
    if len(ordered) > 1_000:
        ordered = ordered[np.linspace(0, len(ordered) - 1, 1_000).round().astype(np.intp)]
    n, full = len(ordered), len(differences)
    i, j = np.triu_indices(n)
    means = np.sort((ordered[i] + ordered[j]) / 2)
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


def friedman(values: Vector) -> Friedman | None:
    """Of subjects (rows) under conditions (columns); None where every subject's values are equal."""
    n, k = values.shape
    ranks = np.vstack([mid_ranks(row) for row in values])
    ties = sum(t**3 - t for row in values for t in tie_sizes(row))
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
