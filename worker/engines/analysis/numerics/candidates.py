"""Candidate distributions: maximum likelihood for many samples at once, densities, tails, quantiles and draws.

Every function takes samples as rows of an array (k × n) and gives parameters as columns (k × parameters), so that a
bootstrap refits all its samples together. Locations are not fitted: positive distributions start at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load

Vector = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, Vector, int, int], Vector]
"""Generator, parameters, samples, their size."""

_NEWTON = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family of distributions. `support`: least value allowed (None: any), and whether it must be exceeded."""

    name: str
    parameters: tuple[str, ...]
    support: float | None
    strict: bool
    counts: bool
    fit: Callable[[Vector], Vector]
    log_density: Callable[[Vector, Vector], Vector]
    cdf: Callable[[Vector, Vector], Vector]
    draw: Draw


def _special() -> Any:
    return load("scipy.special")


def _column(parameters: Vector, place: int) -> Vector:
    return parameters[:, place : place + 1]


def _fit_normal(x: Vector) -> Vector:
    return np.column_stack([x.mean(axis=1), x.std(axis=1)])


def _normal_log_density(x: Vector, p: Vector) -> Vector:
    mean, sd = _column(p, 0), _column(p, 1)
    return np.asarray(-0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi), dtype=np.float64)


def _normal_cdf(x: Vector, p: Vector) -> Vector:
    return np.asarray(_special().ndtr((x - _column(p, 0)) / _column(p, 1)), dtype=np.float64)


def _fit_gamma(x: Vector) -> Vector:
    """Shape by Newton's steps on its logarithm, from Minka's (2002) start; then the scale."""
    special = _special()
    mean = x.mean(axis=1)
    s = np.maximum(np.log(mean) - np.log(x).mean(axis=1), 1e-12)
    shape = (3 - s + np.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    for _ in range(_NEWTON):
        slope = 1 / shape - special.polygamma(1, shape)
        step = (np.log(shape) - special.digamma(shape) - s) / (slope * shape)
        shape = shape * np.exp(-np.clip(step, -1, 1))
        if float(np.max(np.abs(step))) < 1e-12:
            break
    return np.column_stack([shape, mean / shape])


def _gamma_log_density(x: Vector, p: Vector) -> Vector:
    shape, scale = _column(p, 0), _column(p, 1)
    special = _special()
    value = special.xlogy(shape - 1, x / scale) - x / scale - special.gammaln(shape) - np.log(scale)
    return np.asarray(value, dtype=np.float64)


def _fit_weibull(x: Vector) -> Vector:
    """Shape by Newton's steps on the profile likelihood's slope, then the scale."""
    logs = np.log(x)
    largest = logs.max(axis=1, keepdims=True)
    centred, mean = logs - largest, (logs - largest).mean(axis=1)
    shape = 1.28 / np.maximum(logs.std(axis=1), 1e-12)
    for _ in range(_NEWTON):
        weight = np.exp(shape[:, None] * centred)
        total = weight.sum(axis=1)
        first = (weight * centred).sum(axis=1) / total
        second = (weight * centred**2).sum(axis=1) / total
        step = (first - 1 / shape - mean) / ((second - first**2 + 1 / shape**2) * shape)
        shape = shape * np.exp(-np.clip(step, -1, 1))
        if float(np.max(np.abs(step))) < 1e-12:
            break
    weight = np.exp(shape[:, None] * centred)
    scale = np.exp(largest[:, 0] + np.log(weight.mean(axis=1)) / shape)
    return np.column_stack([shape, scale])


def _weibull_log_density(x: Vector, p: Vector) -> Vector:
    shape, scale = _column(p, 0), _column(p, 1)
    ratio = x / scale
    value = np.log(shape / scale) + _special().xlogy(shape - 1, ratio) - ratio**shape
    return np.asarray(value, dtype=np.float64)


def _fit_negative_binomial(x: Vector) -> Vector:
    """Mean and size (variance = mean + mean²/size); the size by bisection of the profile likelihood's slope.

    A sample without overdispersion gets a size of 1e6, which is Poisson's distribution to all purposes.
    """
    special = _special()
    mean = x.mean(axis=1)
    low, high = np.full(len(x), np.log(1e-4)), np.full(len(x), np.log(1e6))
    for _ in range(_NEWTON):
        middle = (low + high) / 2
        size = np.exp(middle)
        slope = (special.digamma(x + size[:, None]) - special.digamma(size)[:, None]).mean(axis=1)
        slope = slope - np.log1p(mean / size)
        rising = slope > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.column_stack([mean, np.exp((low + high) / 2)])


def _negative_binomial_log_density(x: Vector, p: Vector) -> Vector:
    mean, size = _column(p, 0), _column(p, 1)
    special = _special()
    value = special.gammaln(x + size) - special.gammaln(size) - special.gammaln(x + 1)
    value = value - size * np.log1p(mean / size) + special.xlogy(x, mean / (mean + size))
    return np.asarray(value, dtype=np.float64)


def _draw_negative_binomial(rng: np.random.Generator, p: Vector, k: int, n: int) -> Vector:
    rates = rng.gamma(p[0, 1], p[0, 0] / p[0, 1], (k, n))
    return rng.poisson(rates).astype(np.float64)


CANDIDATES: Mapping[str, Candidate] = {
    candidate.name: candidate
    for candidate in (
        Candidate(
            "normal", ("mean", "sd"), None, False, False, _fit_normal, _normal_log_density, _normal_cdf,
            lambda rng, p, k, n: rng.normal(p[0, 0], p[0, 1], (k, n)),
        ),
        Candidate(
            "lognormal", ("log_mean", "log_sd"), 0.0, True, False,
            lambda x: _fit_normal(np.log(x)),
            lambda x, p: _normal_log_density(np.log(x), p) - np.log(x),
            lambda x, p: _normal_cdf(np.log(x), p),
            lambda rng, p, k, n: rng.lognormal(p[0, 0], p[0, 1], (k, n)),
        ),
        Candidate(
            "exponential", ("mean",), 0.0, False, False,
            lambda x: x.mean(axis=1, keepdims=True),
            lambda x, p: -x / p - np.log(p),
            lambda x, p: -np.expm1(-x / p),
            lambda rng, p, k, n: rng.exponential(p[0, 0], (k, n)),
        ),
        Candidate(
            "gamma", ("shape", "scale"), 0.0, True, False, _fit_gamma, _gamma_log_density,
            lambda x, p: np.asarray(_special().gammainc(_column(p, 0), x / _column(p, 1)), dtype=np.float64),
            lambda rng, p, k, n: rng.gamma(p[0, 0], p[0, 1], (k, n)),
        ),
        Candidate(
            "weibull", ("shape", "scale"), 0.0, True, False, _fit_weibull, _weibull_log_density,
            lambda x, p: -np.expm1(-((x / _column(p, 1)) ** _column(p, 0))),
            lambda rng, p, k, n: p[0, 1] * rng.weibull(p[0, 0], (k, n)),
        ),
        Candidate(
            "poisson", ("mean",), 0.0, False, True,
            lambda x: np.maximum(x.mean(axis=1, keepdims=True), 1e-12),
            lambda x, p: np.asarray(_special().xlogy(x, p) - p - _special().gammaln(x + 1), dtype=np.float64),
            lambda x, p: np.asarray(_special().pdtr(x, p), dtype=np.float64),
            lambda rng, p, k, n: rng.poisson(p[0, 0], (k, n)).astype(np.float64),
        ),
        Candidate(
            "negative_binomial", ("mean", "size"), 0.0, False, True,
            _fit_negative_binomial, _negative_binomial_log_density,
            lambda x, p: np.asarray(
                _special().betainc(_column(p, 1), x + 1, _column(p, 1) / (_column(p, 1) + _column(p, 0))),
                dtype=np.float64,
            ),
            _draw_negative_binomial,
        ),
    )
}  # fmt: skip


def suits(candidate: Candidate, values: Vector, *, counts: bool) -> bool:
    """Whether the values lie where the candidate has its own, and are counts if it is for counts."""
    if candidate.counts != counts and (counts or candidate.counts):
        return False
    if candidate.support is None:
        return True
    least = float(values.min())
    return least > candidate.support if candidate.strict else least >= candidate.support


def aic(candidate: Candidate, values: Vector, parameters: Vector) -> float:
    """Akaike's criterion of one sample."""
    likelihood = float(np.sum(candidate.log_density(values[None, :], parameters)))
    return 2 * len(candidate.parameters) - 2 * likelihood


def distance(candidate: Candidate, samples: Vector, parameters: Vector) -> Vector:
    """How far each sample (row) lies from its fitted distribution: Anderson and Darling's A² for continuous ones, the
    Cramér–von Mises distance over the values that occur for counts."""
    n = samples.shape[1]
    ordered = np.sort(samples, axis=1)
    below = candidate.cdf(ordered, parameters)
    if candidate.counts:
        # The sample's distribution function at each of its values: how many are not above it.
        rank = np.arange(1, n + 1)[None, :]
        last = np.concatenate([ordered[:, 1:] > ordered[:, :-1], np.ones((len(ordered), 1), dtype=bool)], axis=1)
        at = np.minimum.accumulate(np.where(last, rank, n)[:, ::-1], axis=1)[:, ::-1] / n
        return np.asarray(((at - below) ** 2).sum(axis=1), dtype=np.float64)
    below = np.clip(below, 1e-300, 1 - 1e-16)
    weight = 2 * np.arange(1, n + 1) - 1
    return np.asarray(-n - (weight * (np.log(below) + np.log1p(-below[:, ::-1]))).sum(axis=1) / n, dtype=np.float64)


def goodness(candidate: Candidate, values: Vector, *, replicates: int, seed: int) -> tuple[float, float]:
    """The distance and its p by parametric bootstrap: samples of the fitted distribution, refitted each."""
    rng = np.random.Generator(np.random.PCG64(seed))
    sample = values[None, :]
    fitted = candidate.fit(sample)
    seen = float(distance(candidate, sample, fitted)[0])
    drawn = candidate.draw(rng, fitted, replicates, len(values))
    if candidate.strict:
        drawn = np.maximum(drawn, np.finfo(float).tiny)
    drawn = drawn[np.ptp(drawn, axis=1) > 0]
    if not len(drawn):
        return seen, 1.0
    others = distance(candidate, drawn, candidate.fit(drawn))
    return seen, float((1 + np.count_nonzero(others >= seen - 1e-12)) / (1 + len(drawn)))
