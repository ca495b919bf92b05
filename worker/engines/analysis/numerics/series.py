"""Series at regular times: their step, gaps, autocorrelation, period and seasonal parts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.distributions import f_upper

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_MOST_MISSING = 0.2
_CALENDAR = (
    # Name, least and most days of a step, periods looked for, mean days
    ("hour", 0.0416, 0.0417, (24, 168), 1 / 24),
    ("day", 0.99, 1.01, (7, 365), 1.0),
    ("week", 6.9, 7.1, (52,), 7.0),
    ("month", 27.5, 31.5, (12,), 365.2425 / 12),
    ("quarter", 89.0, 93.0, (4,), 365.2425 / 4),
    ("year", 364.0, 367.0, (), 365.2425),
)


@dataclass(frozen=True, slots=True)
class Grid:
    """A series on a regular grid. `place` are the grid's places of the moments; `values` has gaps filled in
    linearly."""

    values: Vector
    place: Places
    filled: int
    step: float
    unit: str
    periods: tuple[int, ...]
    """Periods, in steps, that the calendar suggests."""


def grid_of(t: Vector, y: Vector, *, dated: bool) -> Grid | None:
    """The grid of values at increasing, distinct times; None where the times are irregular or a fifth is missing."""
    gaps = np.diff(t)
    if len(t) < 8 or gaps.min() <= 0:
        return None
    typical = float(np.median(gaps))
    name, mean = "step", typical
    periods: tuple[int, ...] = ()
    if dated:
        for unit, low, high, known, days in _CALENDAR:
            if low <= typical <= high:
                name, mean, periods = unit, days, known
    steps = gaps / mean
    whole = np.maximum(np.round(steps), 1)
    # Months differ in length by a tenth; other steps are as good as equal.
    if np.any(np.abs(steps - whole) > (0.12 if name in ("month", "quarter") else 0.02) * np.maximum(whole, 1)):
        return None
    place = np.concatenate([[0], np.cumsum(whole)]).astype(np.intp)
    size = int(place[-1]) + 1
    filled = size - len(t)
    if filled > _MOST_MISSING * size:
        return None
    values = np.interp(np.arange(size), place, y)
    return Grid(values, place, filled, mean, name, tuple(periods))


def lag_one(values: Vector, fitted: int = 1) -> float:
    """The autocorrelation of neighbours, less the bias of about −(k + (k + 2) rho)/n that estimating k parameters of
    the mean brings (Kendall 1954 for one and two); within ±0.98."""
    centred = values - values.mean()
    total = float(centred @ centred)
    if total <= 0 or len(values) < 4:
        return 0.0
    rho = float(centred[1:] @ centred[:-1]) / total
    return max(-0.98, min(0.98, rho + (fitted + (fitted + 2) * rho) / len(values)))


def whitened(values: Vector, phi: float) -> Vector:
    """The series less `phi` times what was before each value: without first-order autocorrelation."""
    return np.asarray(values[1:] - phi * values[:-1], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Season:
    """A period in steps, the share of the variance (less trend) that repeats with it, and p."""

    period: int
    strength: float
    statistic: float
    p: float
    indices: list[float]
    """Mean of each season less the mean of all."""


def season_test(detrended: Vector, period: int) -> Season | None:
    """Whether a series without trend repeats every `period` steps: F of the seasons' means after first-order
    autocorrelation (estimated beside the seasons) is taken out. Needs two whole periods."""
    n = len(detrended)
    if period < 2 or n < 2 * period + 2:
        return None
    season = np.arange(n) % period
    indices = _means(detrended, season, period)
    left = detrended - indices[season]
    white = whitened(detrended, lag_one(left))
    place = season[1:]
    fitted = _means(white, place, period)[place]
    between = float(((fitted - white.mean()) ** 2).sum())
    within = float(((white - fitted) ** 2).sum())
    df = len(white) - period
    whole = float(((detrended - detrended.mean()) ** 2).sum())
    if df < 1 or whole <= 0:
        return None
    strength = max(0.0, 1 - float((left**2).sum()) / whole)
    f = between / (period - 1) / (within / df) if within > 0 else math.inf
    p = f_upper(f, period - 1, df) if math.isfinite(f) else 0.0
    centred = indices - indices.mean()
    return Season(period, strength, f, p, centred.tolist())


def _means(values: Vector, season: Places, period: int) -> Vector:
    counts = np.bincount(season, minlength=period)
    return np.asarray(np.bincount(season, weights=values, minlength=period) / np.maximum(counts, 1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Peak:
    """The strongest cycle: its length in steps, its share of the variance after whitening (Fisher's g), and p."""

    length: float
    g: float
    p: float


def spectral_peak(detrended: Vector) -> Peak | None:
    """Fisher's (1929) test of the largest ordinate of the periodogram, after first-order autocorrelation (estimated
    beside the strongest cycle) is taken out. Cycles seen less than twice are not looked at."""
    n = len(detrended)
    if n < 16 or float(np.ptp(detrended)) <= 0:
        return None
    power = _periodogram(detrended)
    k = int(np.argmax(power[1:])) + 2
    angle = 2 * np.pi * k * np.arange(n) / n
    waves = np.column_stack([np.ones(n), np.cos(angle), np.sin(angle)])
    left = detrended - waves @ np.linalg.lstsq(waves, detrended, rcond=None)[0]
    ordinates = _periodogram(whitened(detrended, lag_one(left)))[1:]
    m = len(ordinates)
    total = float(ordinates.sum())
    if m < 3 or total <= 0:
        return None
    best = int(np.argmax(ordinates))
    g = float(ordinates[best]) / total
    return Peak((n - 1) / (best + 2), g, _fisher_p(g, m))


def _periodogram(values: Vector) -> Vector:
    """Ordinates at 1, 2, … cycles over the series, without the highest where it stands alone."""
    n = len(values)
    power = np.abs(np.fft.rfft(values - values.mean())) ** 2
    return np.asarray(power[1 : (n - 1) // 2 + 1], dtype=np.float64)


def _fisher_p(g: float, m: int) -> float:
    """P(g or more) of m exponential ordinates; the terms alternate, so the first few decide where it is small."""
    if m * math.exp((m - 1) * math.log1p(-g)) < 1e-3:
        return max(1e-300, m * math.exp((m - 1) * math.log1p(-g))) if g < 1 else 1e-300
    total = 0.0
    for j in range(1, min(m, math.floor(1 / g)) + 1):
        size = math.lgamma(m + 1) - math.lgamma(j + 1) - math.lgamma(m - j + 1)
        if 1 - j * g <= 0:
            break
        term = math.exp(size + (m - 1) * math.log1p(-j * g))
        total += term if j % 2 else -term
        if abs(term) > 1e6:
            # Cancellation: so many terms only matter where p is as good as 1.
            return 1.0
    return min(1.0, max(0.0, total))


def moving_average(values: Vector, period: int) -> Vector:
    """The centred mean over one period (for an even one with half weights at the ends); ends stay at the nearest."""
    weights = np.full(period + 1, 1.0) if period % 2 == 0 else np.full(period, 1.0)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    inner = np.convolve(values, weights / weights.sum(), mode="valid")
    before = (len(values) - len(inner)) // 2
    return np.concatenate([np.full(before, inner[0]), inner, np.full(len(values) - len(inner) - before, inner[-1])])
