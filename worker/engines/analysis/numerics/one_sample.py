"""One sample: its mean, a share, and whether a difference is smaller than a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import t_quantile, t_two_sided

Vector = npt.NDArray[np.float64]


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
