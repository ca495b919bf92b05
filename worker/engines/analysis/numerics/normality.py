"""Whether values could come from a normal distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import chi2_upper, normal_two_sided

Vector = npt.NDArray[np.float64]

SHAPIRO_MOST = 5_000
_LEAST = 3
_LEAST_MOMENTS = 8


@dataclass(frozen=True, slots=True)
class Normality:
    """A test's name, statistic and p."""

    test: str
    statistic: float
    p: float


def normality(values: Vector) -> Normality | None:
    """Shapiro–Wilk up to 5,000 values, Anderson–Darling beyond; None for fewer than three or equal values."""
    if len(values) < _LEAST or float(np.ptp(values)) <= 0:
        return None
    if len(values) <= SHAPIRO_MOST:
        # Shapiro–Wilk is about shape alone: centred and scaled values keep the digits of its sums.
        found = load("scipy.stats").shapiro((values - values.mean()) / values.std())
        return Normality("shapiro_wilk", float(found.statistic), float(found.pvalue))
    return anderson_darling(values)


def anderson_darling(values: Vector) -> Normality | None:
    """Anderson–Darling's test with mean and variance estimated; p by D'Agostino and Stephens (1986, table 4.9)."""
    n = len(values)
    spread = float(values.std(ddof=1)) if n > 1 else 0.0
    if n < _LEAST_MOMENTS or spread <= 0:
        return None
    ordered = np.sort((values - values.mean()) / spread)
    below = load("scipy.special").log_ndtr
    weights = 2 * np.arange(1, n + 1) - 1
    a2 = -n - float(np.sum(weights * (below(ordered) + below(-ordered[::-1])))) / n
    a = a2 * (1 + 0.75 / n + 2.25 / n**2)
    if a >= 0.6:
        p = math.exp(1.2937 - 5.709 * a + 0.0186 * a * a) if a < 150 else 0.0
    elif a >= 0.34:
        p = math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    elif a >= 0.2:
        p = 1 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    else:
        p = 1 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)
    return Normality("anderson_darling", a2, min(1.0, max(p, 1e-16)))


@dataclass(frozen=True, slots=True)
class Shape:
    """Skewness and excess kurtosis, corrected for the sample's size (G1 and G2), with p of each being that of a normal
    sample; p is None for fewer values than its approximation needs (8 and 20)."""

    skewness: float | None
    skewness_p: float | None
    excess_kurtosis: float | None
    kurtosis_p: float | None


def shape(values: Vector) -> Shape:
    """Moments about the mean; p by D'Agostino (1970) and by Anscombe and Glynn (1983)."""
    n = len(values)
    centred = values - values.mean() if n else values
    m2 = float(np.mean(centred**2)) if n else 0.0
    if n < _LEAST or m2 <= 0:
        return Shape(None, None, None, None)
    scaled = centred / math.sqrt(m2)
    g1, g2 = float(np.mean(scaled**3)), float(np.mean(scaled**4)) - 3
    skewness = g1 * math.sqrt(n * (n - 1)) / (n - 2)
    kurtosis = ((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3)) if n > _LEAST else None
    skewness_p = normal_two_sided(_skewness_z(g1, n)) if n >= _LEAST_MOMENTS else None
    kurtosis_p = normal_two_sided(_kurtosis_z(g2, n)) if n >= 20 else None
    return Shape(skewness, skewness_p, kurtosis, kurtosis_p)


def _skewness_z(g1: float, n: int) -> float:
    y = g1 * math.sqrt((n + 1) * (n + 3) / (6 * (n - 2)))
    beta = 3 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    w2 = math.sqrt(2 * (beta - 1)) - 1
    return math.asinh(y / math.sqrt(2 / (w2 - 1))) / math.sqrt(math.log(math.sqrt(w2)))


def _kurtosis_z(g2: float, n: int) -> float:
    mean = 3 * (n - 1) / (n + 1) - 3
    variance = 24 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    x = (g2 - mean) / math.sqrt(variance)
    root = 6 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9)) * math.sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    a = 6 + 8 / root * (2 / root + math.sqrt(1 + 4 / root**2))
    inner = (1 - 2 / a) / (1 + x * math.sqrt(2 / (a - 4)))
    return (1 - 2 / (9 * a) - math.copysign(abs(inner) ** (1 / 3), inner)) / math.sqrt(2 / (9 * a))


def ljung_box(residuals: Vector, lags: int, fitted: int = 0) -> tuple[float, float]:
    """Ljung and Box's (1978) statistic of the first `lags` autocorrelations and its p, less `fitted` parameters."""
    n = len(residuals)
    centred = residuals - residuals.mean()
    total = float(centred @ centred)
    rho = [float(centred[k:] @ centred[:-k]) / total for k in range(1, lags + 1)]
    statistic = n * (n + 2) * math.fsum(r * r / (n - k) for k, r in enumerate(rho, start=1))
    return statistic, chi2_upper(statistic, max(1, lags - fitted))
