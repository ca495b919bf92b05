"""Generalised linear models with canonical links: iteratively reweighted least squares by orthogonal decomposition.

Families: `gaussian` (identity), `binomial` (logit), `poisson` (log). Where the data separate (some combination of the
columns predicts without fault, so that maximum likelihood has no finite estimate) the fit is Firth's penalised one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.large_sums import total
from worker.engines.analysis.numerics.separation import diverging_direction

Vector = npt.NDArray[np.float64]

FAMILIES = ("gaussian", "binomial", "poisson")
_ITERATIONS = 60
_PENALISED_ITERATIONS = 1_000
"""Firth's score is solved by Fisher's steps, which come to rest slower than Newton's."""
_HALVINGS = 30
_RANK_TOLERANCE = 1e-11
_STEP_TOLERANCE = 1e-9
_FAR = 12.0
"""A linear predictor this far out is looked at for separation: a probability of 6e-6 or a mean this small."""
_FARTHEST = 40.0


@dataclass(frozen=True, slots=True)
class Family:
    """Mean and variance as functions of the linear predictor; log-likelihood and deviance of a response."""

    name: str
    mean: Callable[[Vector], Vector]
    variance: Callable[[Vector], Vector]
    log_likelihood: Callable[[Vector, Vector], float]
    saturated: Callable[[Vector], float]
    start: Callable[[Vector], Vector]
    firth: Callable[[Vector], Vector]
    """What a unit of leverage adds to the response in Firth's (1993) modified score."""


def _expit(eta: Vector) -> Vector:
    return np.asarray(load("scipy.special").expit(eta), dtype=np.float64)


def _logistic_variance(eta: Vector) -> Vector:
    return _expit(eta) * _expit(-eta)


def _binomial_log_likelihood(y: Vector, eta: Vector) -> float:
    return total(y * eta - np.logaddexp(0.0, eta))


def _binomial_saturated(y: Vector) -> float:
    special = load("scipy.special")
    return total(special.xlogy(y, y) + special.xlogy(1 - y, 1 - y))


def _poisson_log_likelihood(y: Vector, eta: Vector) -> float:
    constant = load("scipy.special").gammaln(y + 1.0)
    return total(y * eta - np.exp(np.minimum(eta, 700.0)) - constant)


def _poisson_saturated(y: Vector) -> float:
    special = load("scipy.special")
    return total(special.xlogy(y, y) - y - special.gammaln(y + 1.0))


_FAMILIES = {
    "gaussian": Family(
        "gaussian",
        mean=lambda eta: eta,
        variance=np.ones_like,
        log_likelihood=lambda y, eta: -0.5 * total((y - eta) ** 2),
        saturated=lambda _: 0.0,
        start=lambda y: y,
        firth=np.zeros_like,
    ),
    "binomial": Family(
        "binomial",
        mean=_expit,
        variance=_logistic_variance,
        log_likelihood=_binomial_log_likelihood,
        saturated=_binomial_saturated,
        start=lambda y: np.log((y + 0.5) / (1.5 - y)),
        firth=lambda mu: 0.5 - mu,
    ),
    "poisson": Family(
        "poisson",
        mean=lambda eta: np.exp(np.minimum(eta, 700.0)),
        variance=lambda eta: np.exp(np.minimum(eta, 700.0)),
        log_likelihood=_poisson_log_likelihood,
        saturated=_poisson_saturated,
        start=lambda y: np.log(y + 0.1),
        firth=lambda mu: np.full_like(mu, 0.5),
    ),
}


@dataclass(frozen=True, slots=True)
class GlmFit:
    """A fitted model. Aliased columns have NaN for estimate and do not count in prediction.

    `log_likelihood` of the gaussian family is −RSS/2 (unit variance); `deviance` is then the residual sum of squares.
    """

    family: str
    estimates: Vector
    """Per column of the matrix, NaN where aliased."""
    covariance: Vector
    """Of the estimates of the columns `kept`, with dispersion 1."""
    kept: list[int]
    aliased: list[int]
    linear_predictor: Vector
    fitted: Vector
    leverage: Vector
    deviance: float
    log_likelihood: float
    """With Firth's penalty added where `method` is `firth`."""
    pearson_chi2: float
    n: int
    df_residual: int
    converged: bool
    iterations: int
    method: str
    """`maximum_likelihood` or `firth`."""
    separated: list[int]
    """Columns of the matrix whose maximum-likelihood estimate would be infinite."""

    def linear(self, matrix: Vector, offset: Vector | None = None) -> Vector:
        """The linear predictor of the rows of `matrix`, whose columns are those of the fit."""
        eta = np.asarray(matrix[:, self.kept] @ self.estimates[self.kept], dtype=np.float64)
        return eta if offset is None else eta + offset

    def predict(self, matrix: Vector, offset: Vector | None = None) -> Vector:
        """The expected response (a probability, a count or a mean) of the rows of `matrix`."""
        return _FAMILIES[self.family].mean(self.linear(matrix, offset))

    @property
    def dispersion(self) -> float | None:
        """Pearson's chi-square over its degrees of freedom; None without any."""
        return self.pearson_chi2 / self.df_residual if self.df_residual > 0 else None

    @property
    def std_errors(self) -> Vector:
        """With dispersion 1 (gaussian: with the residual variance); NaN where aliased."""
        errors = np.full(len(self.estimates), np.nan)
        scale = self.dispersion if self.family == "gaussian" else 1.0
        if scale is not None:
            errors[self.kept] = np.sqrt(np.diag(self.covariance) * scale)
        return errors


def fit_glm(matrix: Vector, response: Vector, family: str, offset: Vector | None = None) -> GlmFit:
    """Fit E(response) = inverse link(matrix @ estimates + offset) by maximum likelihood.

    `matrix` is n × p and holds the intercept's ones if there is to be one. Responses are any numbers (`gaussian`),
    from 0 to 1 (`binomial`) or at least 0 (`poisson`). Raises ValueError for others and for no rows or columns.
    """
    x, y = np.asarray(matrix, dtype=np.float64), np.asarray(response, dtype=np.float64)
    _check(x, y, family)
    chosen = _FAMILIES[family]
    shift = np.zeros(len(y)) if offset is None else np.asarray(offset, dtype=np.float64)
    kept = independent_columns(x)
    scale = np.linalg.norm(x[:, kept], axis=0)
    scaled = x[:, kept] / scale
    if family == "gaussian":
        return _gaussian(x, y, kept, scale, shift)
    coefficients, eta, converged, iterations = _newton(scaled, y, chosen, shift)
    method, separated = "maximum_likelihood", list[int]()
    if not converged or _far_out(chosen, y, eta):
        direction = diverging_direction(scaled, y, family)
        if direction is not None:
            method, separated = "firth", [kept[j] for j in direction]
            coefficients, eta, converged, iterations = _newton(scaled, y, chosen, shift, penalised=True)
    mu, variance = chosen.mean(eta), chosen.variance(eta)
    q, r = np.linalg.qr(np.sqrt(variance)[:, None] * scaled)
    inverse = _inverse(r)
    estimates = np.full(x.shape[1], np.nan)
    estimates[kept] = coefficients / scale
    log_likelihood = chosen.log_likelihood(y, eta)
    deviance = max(0.0, 2 * (chosen.saturated(y) - log_likelihood))
    if method == "firth":
        log_likelihood += _log_determinant(r)
    return GlmFit(
        family=family,
        estimates=estimates,
        covariance=(inverse @ inverse.T) / np.outer(scale, scale),
        kept=kept,
        aliased=[j for j in range(x.shape[1]) if j not in kept],
        linear_predictor=eta,
        fitted=mu,
        leverage=np.asarray((q * q).sum(axis=1), dtype=np.float64),
        deviance=deviance,
        log_likelihood=log_likelihood,
        pearson_chi2=total((y - mu) ** 2 / np.maximum(variance, 1e-300)),
        n=len(y),
        df_residual=len(y) - len(kept),
        converged=converged,
        iterations=iterations,
        method=method,
        separated=separated,
    )


def _gaussian(x: Vector, y: Vector, kept: list[int], scale: Vector, offset: Vector) -> GlmFit:
    """Least squares: one decomposition, no steps."""
    q, r = np.linalg.qr(x[:, kept] / scale)
    inverse = _inverse(r)
    wanted = y - offset
    projected = q.T @ wanted
    # What rounding leaves of the fit in the residuals is fitted again.
    projected = projected + q.T @ (wanted - q @ projected)
    eta = q @ projected + offset
    estimates = np.full(x.shape[1], np.nan)
    estimates[kept] = (inverse @ projected) / scale
    squares = total((y - eta) ** 2)
    return GlmFit(
        family="gaussian",
        estimates=estimates,
        covariance=(inverse @ inverse.T) / np.outer(scale, scale),
        kept=kept,
        aliased=[j for j in range(x.shape[1]) if j not in kept],
        linear_predictor=eta,
        fitted=eta,
        leverage=np.asarray((q * q).sum(axis=1), dtype=np.float64),
        deviance=squares,
        log_likelihood=-0.5 * squares,
        pearson_chi2=squares,
        n=len(y),
        df_residual=len(y) - len(kept),
        converged=True,
        iterations=1,
        method="maximum_likelihood",
        separated=[],
    )


def fixed_fit(fit: GlmFit, matrix: Vector, response: Vector, column: int, value: float, offset: Vector) -> float:
    """The largest log-likelihood (penalised as in `fit`) with the coefficient of one kept column held at `value`."""
    chosen = _FAMILIES[fit.family]
    x = matrix[:, fit.kept]
    scale = np.linalg.norm(x, axis=0)
    place = fit.kept.index(column)
    scaled = x / scale
    penalised = fit.method == "firth"
    start = fit.estimates[fit.kept] * scale
    start[place] = value * scale[place]
    _, eta, _, _ = _newton(scaled, response, chosen, offset, penalised=penalised, held=place, start=start)
    best = chosen.log_likelihood(response, eta)
    if penalised:
        best += _log_determinant(np.linalg.qr(np.sqrt(chosen.variance(eta))[:, None] * scaled)[1])
    return best


def independent_columns(matrix: Vector) -> list[int]:
    """Columns that are not (to rounding) combinations of those before them."""
    norms = np.linalg.norm(matrix, axis=0)
    kept = [j for j in range(matrix.shape[1]) if norms[j] > 0][: matrix.shape[0]]
    while True:
        diagonal = np.abs(np.diag(np.linalg.qr(matrix[:, kept] / norms[kept], mode="r")))
        dependent = np.flatnonzero(diagonal < _RANK_TOLERANCE)
        if not len(dependent):
            return kept
        del kept[int(dependent[0])]


def _check(x: Vector, y: Vector, family: str) -> None:
    if family not in FAMILIES:
        raise ValueError(f"the families are {', '.join(FAMILIES)}, not {family!r}")
    if x.ndim != 2 or not x.size or len(x) != len(y) or not np.any(x):
        raise ValueError("the matrix needs a row for each response and a column that is not zero")
    if family == "binomial" and (y.min() < 0 or y.max() > 1):
        raise ValueError("a binomial response lies from 0 to 1")
    if family == "poisson" and y.min() < 0:
        raise ValueError("a Poisson response is at least 0")


def _far_out(family: Family, y: Vector, eta: Vector) -> bool:
    if family.name == "binomial":
        return bool(np.max(np.abs(eta)) > _FAR)
    return bool(np.any(eta[y == 0] < math.log(max(float(y.mean()), 1e-300)) - _FAR))


def _inverse(r: Vector) -> Vector:
    solved: Any = load("scipy.linalg").solve_triangular(r, np.eye(len(r)))
    return np.asarray(solved, dtype=np.float64)


def _log_determinant(r: Vector) -> float:
    """Half the logarithm of the determinant of r'r: Jeffreys' penalty."""
    return float(np.sum(np.log(np.maximum(np.abs(np.diag(r)), 1e-300))))


def _newton(
    x: Vector,
    y: Vector,
    family: Family,
    offset: Vector,
    *,
    penalised: bool = False,
    held: int | None = None,
    start: Vector | None = None,
) -> tuple[Vector, Vector, bool, int]:
    """Coefficients, linear predictor, whether they came to rest, steps. A coefficient `held` keeps its start."""
    triangle: Any = load("scipy.linalg").solve_triangular
    free = [j for j in range(x.shape[1]) if j != held]
    if start is not None:
        beta = start.copy()
    elif penalised:
        beta = np.zeros(x.shape[1])
    else:
        eta = family.start(y)
        weight = np.sqrt(family.variance(eta))
        q, r = np.linalg.qr(weight[:, None] * x)
        beta = np.asarray(triangle(r, q.T @ (weight * (eta - offset))), dtype=np.float64)
    eta = x @ beta + offset

    def objective(at: Vector, root: Vector) -> float:
        return family.log_likelihood(y, at) + (_log_determinant(root) if penalised else 0.0)

    def decomposed(at: Vector) -> tuple[Vector, Vector, Vector]:
        weight = np.sqrt(np.maximum(family.variance(at), 1e-300))
        q, r = np.linalg.qr(weight[:, None] * x)
        return weight, q, r

    weight, q, r = decomposed(eta)
    best = objective(eta, r)
    most = _PENALISED_ITERATIONS if penalised else _ITERATIONS
    for iteration in range(1, most + 1):
        mu = family.mean(eta)
        score = y - mu
        if penalised:
            score = score + (q * q).sum(axis=1) * family.firth(mu)
        qf, rf = (q, r) if held is None else np.linalg.qr(weight[:, None] * x[:, free])
        if not len(free):
            return beta, eta, True, iteration
        sizes = np.abs(np.diag(rf))
        if sizes.min() <= 1e-13 * sizes.max():
            return beta, eta, False, iteration
        step = np.zeros(x.shape[1])
        step[free] = triangle(rf, qf.T @ (score / weight))
        move = x @ step
        longest = float(np.max(np.abs(move)))
        if family.name != "gaussian" and longest > 5.0:  # a Newton step far from the optimum can overshoot
            step, move = step * (5.0 / longest), move * (5.0 / longest)
        share, settled = 1.0, longest <= _STEP_TOLERANCE * (1.0 + float(np.max(np.abs(eta))))
        for _ in range(_HALVINGS):
            trial = eta + share * move
            parts = decomposed(trial)
            value = objective(trial, parts[2])
            if math.isfinite(value) and (value >= best - 1e-12 * (1.0 + abs(best))):
                break
            share /= 2
        else:
            return beta, eta, settled, iteration
        beta, eta, best = beta + share * step, trial, value
        weight, q, r = parts
        if settled:
            return beta, x @ beta + offset, True, iteration
        if family.name == "binomial" and not penalised and held is None and float(np.max(np.abs(eta))) > _FARTHEST:
            return beta, eta, False, iteration
    return beta, eta, False, most
