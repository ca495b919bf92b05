"""Where the level or the slope of a series changes, tested against chance under first-order autocorrelation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.series import lag_one

Vector = npt.NDArray[np.float64]

REPLICATES = 499
MAX_POINTS = 1_000
_MOST_CHANGES = 8
LEVEL = 0.05
_CANDIDATES = 100
_HANSEN = -2 * math.log(1 - math.sqrt(0.95))


@dataclass(frozen=True, slots=True)
class Change:
    """`place` is the first value of the new part; `low` to `high` hold the true place with 95 % (Hansen 2000).

    `before` and `after` are levels, or slopes per step of `t`.
    """

    place: int
    low: int
    high: int
    statistic: float
    p: float
    before: float
    after: float


def level_changes(y: Vector, *, seed: int) -> list[Change]:
    """Changes of the level by binary segmentation: each part is split where the split explains most, while p < 0.05.

    p is of the largest F over all places, by 499 simulated series of the part's length and first-order autocorrelation
    (estimated beside the change), by the seed.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    least = max(5, len(y) // 20)
    parts, found = [(0, len(y))], list[Change]()
    while parts and len(found) < _MOST_CHANGES:
        start, stop = parts.pop(0)
        change = _level_change(y[start:stop], least, rng)
        if change is None or change.p >= LEVEL:
            continue
        at = start + change.place
        found.append(
            Change(at, start + change.low, start + change.high, change.statistic, change.p, change.before, change.after)
        )
        parts += [(start, at), (at, stop)]
    found.sort(key=lambda change: change.place)
    places = [0, *(change.place for change in found), len(y)]
    means = [float(y[a:b].mean()) for a, b in pairwise(places)]
    return [Change(c.place, c.low, c.high, c.statistic, c.p, means[i], means[i + 1]) for i, c in enumerate(found)]


def _level_change(y: Vector, least: int, rng: np.random.Generator) -> Change | None:
    n = len(y)
    if n < 2 * least or float(np.ptp(y)) <= 0:
        return None
    gains = _level_gains(y[:, None], least)[:, 0]
    whole = float(((y - y.mean()) ** 2).sum())
    at = int(np.argmax(gains)) + least
    left = y - np.where(np.arange(n) < at, y[:at].mean(), y[at:].mean())
    rest = float(left @ left)
    statistic = float(gains.max()) / (rest / (n - 2)) if rest > 0 else math.inf
    phi = lag_one(left, 3)
    noise = _noise(n, phi, rng)
    drawn = _level_gains(noise, least).max(axis=0)
    total = ((noise - noise.mean(axis=0)) ** 2).sum(axis=0)
    others = drawn / ((total - drawn) / (n - 2))
    p = float((1 + np.count_nonzero(others >= statistic)) / (1 + REPLICATES))
    low, high = _confident(whole - gains, rest, n, phi)
    return Change(at, low + least, high + least, statistic, p, float(y[:at].mean()), float(y[at:].mean()))


def _level_gains(y: Vector, least: int) -> Vector:
    """By place (from `least`) and series (column): the squares that a split there explains."""
    n = len(y)
    sums = np.cumsum(y, axis=0)
    k = np.arange(least, n - least + 1)[:, None]
    below = sums[least - 1 : n - least]
    return np.asarray((below - k / n * sums[-1]) ** 2 * n / (k * (n - k)), dtype=np.float64)


def _noise(n: int, phi: float, rng: np.random.Generator) -> Vector:
    """Series (columns) of normal noise with first-order autocorrelation from its lasting state. Each has a parameter of
    its own around `phi`, as uncertain as the estimate is, and none below 0: chance is not taken for regularity."""
    own = phi + math.sqrt(max(0.0, 1 - phi * phi) / n) * rng.standard_normal(REPLICATES)
    own = np.clip(own, 0.0, 0.95)
    noise = rng.standard_normal((n, REPLICATES))
    noise[0] /= np.sqrt(1 - own * own)
    for i in range(1, n):
        noise[i] += own * noise[i - 1]
    return noise


def _confident(squares: Vector, rest: float, n: int, phi: float) -> tuple[int, int]:
    """The first and the last place whose fit is not clearly worse than the best; autocorrelation widens the set."""
    lasting = (1 + phi) / (1 - phi) if phi > 0 else 1.0
    fine = np.flatnonzero((squares - squares.min()) <= _HANSEN * lasting * rest / n)
    return int(fine[0]), int(fine[-1])


def slope_change(t: Vector, y: Vector, *, seed: int) -> Change | None:
    """Whether and where a straight line has a bend: the place with the largest F, tested as a level's change is.

    None for fewer than ten values or values without scatter.
    """
    n = len(y)
    least = max(4, n // 10)
    if n < 2 * least + 2 or float(np.ptp(y)) <= 0:
        return None
    rng = np.random.Generator(np.random.PCG64(seed))
    places = np.unique(np.linspace(least, n - least - 1, min(_CANDIDATES, n - 2 * least)).round().astype(np.intp))
    x = (t - t[0]) / (t[-1] - t[0])
    base, _ = np.linalg.qr(np.column_stack([np.ones(n), x]))
    hinges = np.maximum(0.0, x[None, :] - x[places][:, None])
    hinges = hinges - (hinges @ base) @ base.T
    hinges = hinges / np.linalg.norm(hinges, axis=1, keepdims=True)

    def gains(series: Vector) -> tuple[Vector, Vector]:
        residuals = series - base @ (base.T @ series)
        return (hinges @ residuals) ** 2, (residuals * residuals).sum(axis=0)

    gain, whole = (array[..., 0] for array in gains(y[:, None]))
    best = int(np.argmax(gain))
    rest = float(whole - gain[best])
    if rest <= 1e-20 * float(whole):
        return None
    at = int(places[best])
    design = np.column_stack([np.ones(n), t - t[at], np.maximum(0.0, t - t[at])])
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    phi = lag_one(y - design @ coefficients, 6)
    statistic = float(gain[best]) / (rest / (n - 3))
    drawn, total = gains(_noise(n, phi, rng))
    largest = drawn.max(axis=0)
    others = largest / ((total - largest) / (n - 3))
    p = float((1 + np.count_nonzero(others >= statistic)) / (1 + REPLICATES))
    low, high = _confident(whole - gain, rest, n, phi)
    before, bend = float(coefficients[1]), float(coefficients[2])
    return Change(at, int(places[low]), int(places[high]), statistic, p, before, before + bend)


def information(residuals: Vector, parameters: int) -> float:
    """Schwarz's criterion of a normal series with first-order autocorrelation: low is good."""
    n = len(residuals)
    phi = lag_one(residuals)
    left = residuals[1:] - phi * residuals[:-1]
    first = residuals[0] ** 2 * (1 - phi * phi)
    squares = float(left @ left + first)
    if squares <= 0:
        return -math.inf
    return n * math.log(squares / n) - math.log(1 - phi * phi) + (parameters + 2) * math.log(n)
