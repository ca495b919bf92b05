"""Mann and Kendall's test under autocorrelation and under seasons."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.distributions import Z95, normal_two_sided
from worker.engines.analysis.numerics.kendall import score_variance
from worker.engines.analysis.numerics.ranks import tie_sizes

Vector = npt.NDArray[np.float64]

_LEAST = 8
_MOST_PHI = 0.97


def variance_factor(detrended: Vector) -> float:
    """What autocorrelation multiplies the variance of S by (Hamed and Rao 1998), at least 1.

    The autocorrelations are those of a first-order process: single ones of a short series are too uncertain to be
    summed. Its parameter is that of neighbours with the bias taken out that estimating a line brings, (2 + 4 rho)/n
    (Kendall 1954); of ranks it is 6/pi asin(rho/2). Nothing is corrected where neighbours are not alike.
    """
    n = len(detrended)
    if n < _LEAST or float(np.ptp(detrended)) <= 0:
        return 1.0
    centred = detrended - detrended.mean()
    rho = float(centred[1:] @ centred[:-1]) / float(centred @ centred)
    phi = min(_MOST_PHI, rho + (2 + 4 * rho) / n)
    if phi <= 0:
        return 1.0
    lag = np.arange(1, n - 2)
    ranked = 6 / np.pi * np.arcsin(phi**lag / 2)
    added = float(((n - lag) * (n - lag - 1.0) * (n - lag - 2.0) * ranked).sum())
    return max(1.0, 1 + 2 * added / (n * (n - 1.0) * (n - 2.0)))


def score_test(s: float, variance: float) -> tuple[float, float]:
    """z with the correction for continuity, and p."""
    z = 0.0 if variance <= 0 else (s - math.copysign(1, s) if s else 0.0) / math.sqrt(variance)
    return z, normal_two_sided(z)


def slope_limits(slopes: Vector, variance: float, slope: float) -> tuple[float, float]:
    """95 % limits of a median of `slopes` (Sen 1968; `variance` is that of S): those at the ranks, interpolated
    (Gilbert 1987). A single slope, which is `slope`, has no others beside it."""
    if len(slopes) < 2:
        return slope, slope
    reach = Z95 * math.sqrt(max(variance, 0.0))
    ranks = [((len(slopes) - reach) / 2 - 1) / (len(slopes) - 1), ((len(slopes) + reach) / 2) / (len(slopes) - 1)]
    low, high = np.quantile(slopes, np.clip(ranks, 0.0, 1.0)).tolist()
    return low, high


@dataclass(frozen=True, slots=True)
class Seasonal:
    """Hirsch and Slack's (1984) test: S summed over the seasons; `slope` is the median over pairs within a season, with
    its 95 % interval."""

    s: float
    z: float
    p: float
    slope: float
    ci_low: float
    ci_high: float


def seasonal_mann_kendall(t: Vector, y: Vector, season: npt.NDArray[np.intp], factor: float = 1.0) -> Seasonal | None:
    """Of values in order of time; None where no season has three values. `factor` is what autocorrelation beside the
    seasons multiplies the variance by."""
    s, variance = 0.0, 0.0
    slopes = []
    for k in np.unique(season).tolist():
        inside = season == k
        a, b = t[inside], y[inside]
        n = len(a)
        if n < 3:
            continue
        i, j = np.triu_indices(n, 1)
        later = a[j] > a[i]
        s += float(np.sign(b[j] - b[i])[later].sum())
        slopes.append(((b[j] - b[i])[later]) / ((a[j] - a[i])[later]))
        variance += score_variance(n, tie_sizes(a), tie_sizes(b))
    if variance <= 0 or not slopes:
        return None
    z, p = score_test(s, variance * factor)
    every = np.concatenate(slopes)
    slope = float(np.median(every))
    low, high = slope_limits(every, variance * factor, slope)
    return Seasonal(s, z, p, slope, low, high)
