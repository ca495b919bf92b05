"""Intervals, tests and measures of quality for generalised linear models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import Z95, chi2_upper
from worker.engines.analysis.numerics.glm import GlmFit, fit_glm, fixed_fit
from worker.engines.analysis.numerics.ranks import mid_ranks, steps

Vector = npt.NDArray[np.float64]

_WIDENINGS = 12
_ROUNDING = 1e-12


def profile_interval(
    fit: GlmFit, matrix: Vector, response: Vector, column: int, offset: Vector
) -> tuple[float | None, float | None]:
    """95 % profile-likelihood limits of one coefficient (penalised likelihood after Firth); None where there is
    none."""
    estimate, error = float(fit.estimates[column]), float(fit.std_errors[column])
    if not (math.isfinite(estimate) and math.isfinite(error)) or error <= 0:
        return None, None
    brentq: Any = load("scipy.optimize").brentq
    wanted = Z95 * Z95 / 2

    def short(value: float) -> float:
        return fit.log_likelihood - fixed_fit(fit, matrix, response, column, value, offset) - wanted

    # Where the likelihood is so large that rounding hides what a step costs, it gives no limits.
    if not short(estimate) < 0:
        return None, None
    limits: list[float | None] = []
    for sign in (-1.0, 1.0):
        inner, reach = estimate, Z95 * error
        limit = None
        for _ in range(_WIDENINGS):
            outer = estimate + sign * reach
            if short(outer) > 0:
                limit = float(brentq(short, inner, outer, xtol=1e-9 * error + 1e-300, rtol=1e-10))
                break
            inner, reach = outer, reach * 1.6
        limits.append(limit)
    return limits[0], limits[1]


def single_test(fit: GlmFit, matrix: Vector, response: Vector, column: int, offset: Vector) -> float:
    """p of one coefficient being 0, by the likelihood ratio."""
    drop = fit.log_likelihood - fixed_fit(fit, matrix, response, column, 0.0, offset)
    return chi2_upper(max(0.0, 2 * drop), 1)


@dataclass(frozen=True, slots=True)
class TermTest:
    """What leaving a term out does: the rise of the deviance and the degrees of freedom it costs."""

    term: str
    deviance: float
    df: int


def term_tests(
    fit: GlmFit, matrix: Vector, response: Vector, terms: Mapping[str, Sequence[int]], offset: Vector
) -> list[TermTest]:
    """Each term (parts joined by ``×``) against the model of all terms that do not contain it (type II)."""
    parts = {name: frozenset(name.split(" × ")) for name in terms}
    kept = set(fit.kept)
    out = []
    for name, columns in terms.items():
        above = {j for other, own in terms.items() if parts[name] < parts[other] for j in own}
        with_it = [j for j in fit.kept if j not in above]
        without = [j for j in with_it if j not in columns]
        own = sorted(kept & set(columns))
        df = len(own)
        if not df:
            continue
        if fit.family == "gaussian" and not above:
            # The rise of the sum of squares, without another fit.
            place = [fit.kept.index(j) for j in own]
            effect = fit.estimates[own]
            scale = np.sqrt(np.diag(fit.covariance)[place])
            correlation = fit.covariance[np.ix_(place, place)] / np.outer(scale, scale)
            out.append(TermTest(name, float((effect / scale) @ np.linalg.solve(correlation, effect / scale)), df))
            continue
        larger = fit.deviance if not above else _deviance(fit, matrix, response, with_it, offset)
        out.append(TermTest(name, max(0.0, _deviance(fit, matrix, response, without, offset) - larger), df))
    return out


def _deviance(fit: GlmFit, matrix: Vector, response: Vector, columns: Sequence[int], offset: Vector) -> float:
    if not columns:
        return null_deviance(response, fit.family, offset, intercept=False)
    return fit_glm(matrix[:, list(columns)], response, fit.family, offset).deviance


def null_deviance(response: Vector, family: str, offset: Vector, *, intercept: bool) -> float:
    """The deviance of the intercept and the offset alone, or of the offset alone."""
    ones = np.ones((len(response), 1))
    fit = fit_glm(ones, response, family, offset)
    if intercept:
        return fit.deviance
    # With the one coefficient held at 0 the linear predictor is the offset.
    return fit.deviance + 2 * (fit.log_likelihood - fixed_fit(fit, ones, response, 0, 0.0, offset))


@dataclass(frozen=True, slots=True)
class Auc:
    """The area under the ROC curve: the chance that an event gets a higher fitted value than a non-event.

    Where the outcomes are told apart without fault the interval reaches 3 over the smaller number of outcomes."""

    value: float
    ci_low: float
    ci_high: float


def auc(response: Vector, fitted: Vector) -> Auc | None:
    """With DeLong's (1988) 95 % interval on the logit scale; None unless both outcomes occur.

    Fitted values that are equal but for rounding are ties: those of rows that are alike may differ in last digits.
    """
    events, others = fitted[response == 1], fitted[response == 0]
    n, m = len(events), len(others)
    if not n or not m:
        return None
    every = np.concatenate([events, others])
    places = steps(every, _ROUNDING * every)
    ranks = mid_ranks(places)
    value = (float(ranks[:n].sum()) - n * (n + 1) / 2) / (n * m)
    if value in (0.0, 1.0) or min(n, m) < 2:
        return Auc(value, max(0.0, value - 3 / min(n, m)), min(1.0, value + 3 / min(n, m)))
    above = (ranks[:n] - mid_ranks(places[:n])) / m
    below = 1 - (ranks[n:] - mid_ranks(places[n:])) / n
    error = math.sqrt(float(above.var(ddof=1)) / n + float(below.var(ddof=1)) / m)
    centre, half = math.log(value / (1 - value)), Z95 * error / (value * (1 - value))
    return Auc(value, 1 / (1 + math.exp(half - centre)), 1 / (1 + math.exp(-half - centre)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Mean fitted and observed share in groups of equal size; Hosmer and Lemeshow's (1980) chi-square and p."""

    groups: list[tuple[int, float, float]]
    chi2: float | None
    df: int
    p: float | None


def calibration(response: Vector, fitted: Vector, groups: int = 10) -> Calibration:
    """By tenths of the fitted probability; equal fitted values stay together."""
    edges = np.quantile(fitted, np.linspace(0, 1, groups + 1)[1:-1])
    place = np.searchsorted(np.unique(edges), fitted, side="left")
    listed, chi2 = [], 0.0
    for k in np.unique(place).tolist():
        inside = place == k
        n, expected, observed = int(inside.sum()), float(fitted[inside].sum()), float(response[inside].sum())
        listed.append((n, expected / n, observed / n))
        variance = expected * (1 - expected / n)
        chi2 += (observed - expected) ** 2 / variance if variance > 0 else 0.0
    df = len(listed) - 2
    if df < 1:
        return Calibration(listed, None, 0, None)
    return Calibration(listed, chi2, df, chi2_upper(chi2, df))
