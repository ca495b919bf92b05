"""Tables of counts: residuals, ratios of risks, orders of levels, p by sampled tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import Z95, normal_two_sided

Vector = npt.NDArray[np.float64]

_CELLS = 4_000_000


def adjusted_residuals(observed: Vector) -> Vector:
    """Observed less expected over its standard error (Haberman 1973): beyond ±2 a cell stands out."""
    n = float(observed.sum())
    rows, columns = observed.sum(axis=1) / n, observed.sum(axis=0) / n
    expected = n * np.outer(rows, columns)
    variance = expected * np.outer(1 - rows, 1 - columns)
    return np.asarray((observed - expected) / np.sqrt(variance), dtype=np.float64)


def sampled_fisher(observed: Vector, *, seed: int, tables: int = 9_999) -> tuple[float, int]:
    """p of Fisher's exact test of a table of any size (Freeman and Halton 1951) over random tables with the same
    margins and the one seen, and how many were drawn."""
    drawn = max(999, min(tables, _CELLS // observed.size))
    rng = np.random.Generator(np.random.PCG64(seed))
    whole = observed.astype(np.int64)
    margins = load("scipy.stats").random_table(whole.sum(axis=1), whole.sum(axis=0))
    others = margins.rvs(size=drawn, random_state=rng)
    gammaln = load("scipy.special").gammaln
    seen = float(gammaln(whole + 1.0).sum())
    # A table is as rare as the product of its cells' factorials is large.
    rarer = np.count_nonzero(gammaln(others + 1.0).sum(axis=(1, 2)) >= seen - 1e-9 * max(1.0, seen))
    return float((1 + rarer) / (1 + drawn)), drawn


@dataclass(frozen=True, slots=True)
class Ratio:
    value: float
    ci_low: float
    ci_high: float


def risk_ratio(observed: Sequence[Sequence[int]]) -> Ratio:
    """Share of the first column in the first row over that in the second (Katz and others 1978); a half is added to
    every count where one of the first column's is zero."""
    half = 0.5 if 0 in (observed[0][0], observed[1][0]) else 0.0
    (a, b), (c, d) = ([count + half for count in row] for row in observed)
    ratio = a / (a + b) / (c / (c + d))
    reach = Z95 * math.sqrt(max(0.0, 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)))
    return Ratio(ratio, ratio * math.exp(-reach), ratio * math.exp(reach))


def risk_difference(observed: Sequence[Sequence[int]]) -> Ratio:
    """Difference of the first column's shares, with Newcombe's (1998) interval from Wilson's."""
    (a, b), (c, d) = observed
    first, second = a / (a + b), c / (c + d)
    low1, high1 = _wilson(first, a + b)
    low2, high2 = _wilson(second, c + d)
    difference = first - second
    low = difference - math.hypot(first - low1, high2 - second)
    return Ratio(difference, low, difference + math.hypot(high1 - first, second - low2))


def _wilson(share: float, n: int) -> tuple[float, float]:
    z2 = Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def corrected_v(chi2: float, n: int, rows: int, columns: int) -> float | None:
    """Cramér's V less what chance gives (Bergsma 2013)."""
    phi = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    r, k = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    return math.sqrt(phi / (min(r, k) - 1)) if min(r, k) > 1 else None


@dataclass(frozen=True, slots=True)
class Trend:
    """`slope` is the change of the share per unit of the scores."""

    z: float
    p: float
    slope: float


def cochran_armitage(counts: Vector, scores: Vector) -> Trend | None:
    """Whether the share of the second of two columns rises or falls with the scores of the rows (Armitage 1955)."""
    totals = counts.sum(axis=1)
    n = float(totals.sum())
    share = float(counts[:, 1].sum()) / n
    centred = scores - float((totals * scores).sum()) / n
    spread = float((totals * centred * centred).sum())
    if spread <= 0 or share in (0.0, 1.0):
        return None
    moved = float((counts[:, 1] * centred).sum())
    z = moved / math.sqrt(share * (1 - share) * spread)
    return Trend(z, normal_two_sided(z), moved / spread)


@dataclass(frozen=True, slots=True)
class Gamma:
    """Goodman and Kruskal's gamma with its 95 % interval (none for ±1), p of the score being 0, and Kendall's τ-b."""

    gamma: float
    ci_low: float | None
    ci_high: float | None
    p: float
    tau_b: float


def goodman_kruskal(counts: Vector) -> Gamma | None:
    """Of a table whose rows and columns are in order; the interval has the asymptotic variance on Fisher's z scale."""
    n = float(counts.sum())
    above = np.zeros_like(counts)
    beside = np.zeros_like(counts)
    for i in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            above[i, j] = counts[:i, :j].sum() + counts[i + 1 :, j + 1 :].sum()
            beside[i, j] = counts[:i, j + 1 :].sum() + counts[i + 1 :, :j].sum()
    concordant, discordant = float((counts * above).sum()), float((counts * beside).sum())
    if concordant + discordant <= 0:
        return None
    gamma = (concordant - discordant) / (concordant + discordant)
    total = concordant + discordant
    variance = 16 / total**4 * float((counts * (discordant * above - concordant * beside) ** 2).sum())
    null = 4 / total**2 * (float((counts * (above - beside) ** 2).sum()) - (concordant - discordant) ** 2 / n)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    spread = math.sqrt((n * n - float((rows**2).sum())) * (n * n - float((columns**2).sum())))
    p = normal_two_sided(gamma / math.sqrt(null)) if null > 0 else 1.0
    if abs(gamma) >= 1:
        return Gamma(gamma, None, None, p, (concordant - discordant) / spread)
    half = Z95 * math.sqrt(variance) / (1 - gamma * gamma)
    centre = math.atanh(gamma)
    return Gamma(gamma, math.tanh(centre - half), math.tanh(centre + half), p, (concordant - discordant) / spread)


_SCALES = (
    ("none", "mild", "moderate", "severe"),
    ("very low", "low", "medium", "moderate", "high", "very high"),
    ("never", "rarely", "seldom", "sometimes", "often", "usually", "always"),
    ("strongly disagree", "disagree", "neutral", "neither agree nor disagree", "agree", "strongly agree"),
    ("very poor", "poor", "fair", "average", "good", "very good", "excellent"),
    ("tiny", "small", "medium", "large", "huge"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
    ("xs", "s", "m", "l", "xl", "xxl"),
    ("first", "second", "third", "fourth", "fifth"),
)  # fmt: skip


def order_of(levels: Sequence[str], *, numeric: bool) -> tuple[list[int], list[float]] | None:
    """The places of the levels in their natural order and their scores: numbers by size, words of a usual scale (low,
    medium, high) from 1 on. None where the levels have no order that is known."""
    if numeric:
        return list(range(len(levels))), [float(level) for level in levels]
    plain = [level.strip().lower() for level in levels]
    for scale in _SCALES:
        if len(levels) > 2 and all(level in scale for level in plain):
            order = sorted(range(len(levels)), key=lambda k: scale.index(plain[k]))
            return order, [float(i + 1) for i in range(len(levels))]
    return None
