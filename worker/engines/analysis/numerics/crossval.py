"""Repeated cross-validation of competing models on the same folds, and what its differences allow to be said."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.numerics.glm import fit_glm

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Predictor = Callable[[Vector], Vector]
"""From the rows of a design matrix to the expected response."""
Loss = Callable[[Vector, Vector], Vector]
"""Response and prediction to the loss of each row."""

_HUBER = 1.345
_MAD_TO_SD = 1.482602218505602
_ROBUST_STEPS = 50
_SURE = 1e-9
_LEAST_MEAN = 1e-9


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model; `log_likelihood` is None where it has none, `parameters` counts all that was estimated."""

    predict: Predictor
    log_likelihood: float | None
    parameters: int


Fitter = Callable[[Vector, Vector], Fitted]
"""Design matrix (with the intercept's ones) and response to a fitted model."""


def fit_gaussian(matrix: Vector, response: Vector) -> Fitted:
    """Least squares, of least norm where columns depend on each other."""
    estimates, rank = _least_squares(matrix, response)
    rest = response - matrix @ estimates
    return Fitted(lambda rows: rows @ estimates, _gaussian_log_likelihood(rest), rank + 1)


def fit_log_response(matrix: Vector, response: Vector) -> Fitted:
    """Least squares of log(response), taken back with Duan's (1983) smearing factor: predictions are means.

    The log-likelihood is that of the response itself, so that it can be held against the others'.
    """
    logs = np.log(response)
    estimates, rank = _least_squares(matrix, logs)
    rest = logs - matrix @ estimates
    factor = float(np.exp(rest).mean())
    found = _gaussian_log_likelihood(rest)
    return Fitted(
        lambda rows: np.exp(np.minimum(rows @ estimates, 700.0)) * factor,
        None if found is None else found - math.fsum(logs.tolist()),
        rank + 1,
    )


def fit_huber(matrix: Vector, response: Vector) -> Fitted:
    """Huber's M-estimate (tuned to 95 % efficiency) by reweighting; its scale is the residuals' median absolute
    deviation."""
    weights = np.ones(len(response))
    estimates = np.zeros(matrix.shape[1])
    for _ in range(_ROBUST_STEPS):
        root = np.sqrt(weights)
        found, _ = _least_squares(matrix * root[:, None], response * root)
        rest = response - matrix @ found
        scale = _MAD_TO_SD * float(np.median(np.abs(rest)))
        moved = float(np.max(np.abs(matrix @ (found - estimates))))
        estimates = found
        if scale <= 0 or moved <= 1e-8 * scale:
            break
        weights = np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(rest), 1e-300))
    return Fitted(lambda rows: rows @ estimates, None, matrix.shape[1] + 1)


def fit_family(family: str) -> Fitter:
    """Logistic (`binomial`) or Poisson regression."""

    def fit(matrix: Vector, response: Vector) -> Fitted:
        found = fit_glm(matrix, response, family)
        likelihood = found.log_likelihood if found.method == "maximum_likelihood" else None
        return Fitted(found.predict, likelihood, len(found.kept))

    return fit


def _least_squares(matrix: Vector, response: Vector) -> tuple[Vector, int]:
    norms = np.linalg.norm(matrix, axis=0)
    norms = np.where(norms > 0, norms, 1.0)
    found, _, rank, _ = np.linalg.lstsq(matrix / norms, response, rcond=1e-11)
    return np.asarray(found / norms, dtype=np.float64), int(rank)


def _gaussian_log_likelihood(rest: Vector) -> float | None:
    n, total = len(rest), math.fsum((rest * rest).tolist())
    return -n / 2 * (math.log(2 * math.pi * total / n) + 1) if total > 0 else None


def squared_error(response: Vector, predicted: Vector) -> Vector:
    return np.asarray((response - predicted) ** 2)


def log_loss(response: Vector, predicted: Vector) -> Vector:
    """−log of the probability given to what happened, in nats; no prediction counts as surer than 1 − 1e-9."""
    sure = np.clip(predicted, _SURE, 1 - _SURE)
    return np.asarray(-np.where(response > 0, np.log(sure), np.log1p(-sure)))


def poisson_deviance(response: Vector, predicted: Vector) -> Vector:
    mean = np.maximum(predicted, _LEAST_MEAN)
    ratio = np.where(response > 0, response, 1.0) / mean
    return np.asarray(2 * (np.where(response > 0, response * np.log(ratio), 0.0) - (response - mean)))


def folds_of(n: int, folds: int, repeats: int, rng: np.random.Generator) -> list[Places]:
    """The rows held out in each of `folds` × `repeats` rounds; sizes differ by at most one."""
    held = []
    for _ in range(repeats):
        order = rng.permutation(n)
        held += [np.sort(part) for part in np.array_split(order, folds)]
    return held


def losses(matrix: Vector, response: Vector, fit: Fitter, loss: Loss, held: Sequence[Places]) -> tuple[Vector, Vector]:
    """The mean loss of each round, and each row's prediction averaged over the rounds that held it out."""
    means = np.empty(len(held))
    predictions, times = np.zeros(len(response)), np.zeros(len(response))
    for i, out in enumerate(held):
        used = np.ones(len(response), dtype=bool)
        used[out] = False
        predicted = fit(matrix[used], response[used]).predict(matrix[out])
        means[i] = float(loss(response[out], predicted).mean())
        predictions[out] += predicted
        times[out] += 1
    return means, predictions / np.maximum(times, 1)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over rounds with an error and a 95 % interval that allow for the rounds' sharing of rows."""

    value: float
    std_error: float
    low: float
    high: float


def corrected_mean(rounds: Vector, folds: int) -> Mean:
    """The corrected resampled t (Nadeau and Bengio 2003; for repeated cross-validation Bouckaert and Frank 2004).

    Rounds share most of their training rows, so their variance over J rounds is not divided by J but multiplied by
    1/J + 1/(folds − 1), the rows held out over the rows used.
    """
    count = len(rounds)
    value = float(rounds.mean())
    error = math.sqrt((1 / count + 1 / (folds - 1)) * float(rounds.var(ddof=1)))
    reach = t_quantile(0.975, count - 1) * error
    return Mean(value, error, value - reach, value + reach)
