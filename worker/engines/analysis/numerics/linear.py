"""Linear models: one fit, by the arithmetic that suits the data's size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.expressions.coding import INTERCEPT, Design
from worker.engines.analysis.numerics import exact, orthogonal
from worker.engines.analysis.numerics.trust import MOST

Vector = npt.NDArray[np.float64]

EXACT_BUDGET = 1_000_000
"""Products of wide integers (n p (p + 3) / 2) up to which a fit is exact: about a second."""
EXACT_COLUMNS = 40

_WORKING = Context(prec=60)


@dataclass(frozen=True, slots=True)
class LinearFit:
    """Estimates with their scatter. Aliased columns have no estimate."""

    names: list[str]
    estimates: list[float | None]
    std_errors: list[float | None]
    residuals: Vector
    n: int
    df_model: int
    df_residual: int
    ss_residual: float
    ss_total: float
    """About the mean with an intercept, about zero without, as R has it."""
    ss_model: float
    residual_sd: float | None
    r_squared: float | None
    f: float | None
    """None also where the fit is perfect and F infinite."""
    perfect: bool
    """The residuals are exactly zero."""
    aliased: list[str]
    condition_number: float
    arithmetic: str
    digits: int
    """Digits of estimates and standard errors that can be trusted, at most 15."""
    settled: bool
    """False where refinement in doubles did not come to rest."""


def affordable(n: int, p: int) -> bool:
    """Whether a fit of n rows and p columns is done exactly."""
    return p <= EXACT_COLUMNS and n * p * (p + 3) // 2 <= EXACT_BUDGET


def fit_linear(design: Design) -> LinearFit:
    """Least squares on `design`: exact if it carries decimals, else orthogonal in doubles."""
    if design.exact_columns is not None and design.exact_response is not None:
        try:
            return _exact(design, design.exact_columns, design.exact_response)
        except exact.TooWide:
            pass
    return _double(design)


def _exact(design: Design, columns: list[list[Decimal]], response: list[Decimal]) -> LinearFit:
    fit = exact.least_squares(columns, response)
    n, p = len(response), len(fit.kept)
    df = n - p
    centred = INTERCEPT in design.names
    total = fit.total_ss if centred else fit.total_ss_raw
    model = total - fit.residual_ss
    df_model = p - centred
    variance = fit.residual_ss / df if df > 0 else None
    f: Fraction | None = None
    if variance and df_model > 0:
        f = model / df_model / variance
    estimates: list[float | None] = [None] * len(design.names)
    errors: list[float | None] = [None] * len(design.names)
    for k, estimate, diagonal in zip(fit.kept, fit.estimates, fit.inverse_diagonal, strict=True):
        estimates[k] = exact.to_float(estimate)
        errors[k] = None if variance is None else exact.root(variance * diagonal)
    return LinearFit(
        names=design.names,
        estimates=estimates,
        std_errors=errors,
        residuals=_exact_residuals(columns, response, fit),
        n=n,
        df_model=df_model,
        df_residual=df,
        ss_residual=exact.to_float(fit.residual_ss),
        ss_total=exact.to_float(total),
        ss_model=exact.to_float(model),
        residual_sd=None if variance is None else exact.root(variance),
        r_squared=exact.to_float(1 - fit.residual_ss / total) if total else None,
        f=None if f is None else exact.to_float(f),
        perfect=not fit.residual_ss,
        aliased=[design.names[k] for k in fit.aliased],
        condition_number=orthogonal.condition_number(design.matrix[:, fit.kept]),
        arithmetic="exact",
        digits=MOST,
        settled=True,
    )


def _exact_residuals(columns: list[list[Decimal]], response: list[Decimal], fit: exact.ExactFit) -> Vector:
    """Residuals by decimals of 60 digits (in rationals each would cost a thousand digits)."""
    used = [columns[k] for k in fit.kept]
    weights = [_WORKING.divide(Decimal(e.numerator), Decimal(e.denominator)) for e in fit.estimates]
    residuals = []
    for i, value in enumerate(response):
        rest = value
        for weight, column in zip(weights, used, strict=True):
            rest = _WORKING.subtract(rest, _WORKING.multiply(weight, column[i]))
        residuals.append(float(rest))
    return np.array(residuals) if fit.residual_ss else np.zeros(len(response))


def _double(design: Design) -> LinearFit:
    fit = orthogonal.least_squares(design.matrix, design.response)
    y = design.response
    n, p = len(y), len(fit.kept)
    df = n - p
    centred = INTERCEPT in design.names
    mean = math.fsum(y.tolist()) / n if centred else 0.0
    total = math.fsum(((y - mean) ** 2).tolist())
    # Residuals no larger than the rounding of the response itself are no residuals.
    rounding = float(np.finfo(float).eps) * float(np.max(np.abs(y), initial=0.0))
    perfect = fit.residual_ss <= n * rounding**2
    residual_ss = 0.0 if perfect else fit.residual_ss
    model = total - residual_ss
    df_model = p - centred
    variance = residual_ss / df if df > 0 else None
    estimates: list[float | None] = [None] * len(design.names)
    errors: list[float | None] = [None] * len(design.names)
    for k, estimate, diagonal in zip(fit.kept, fit.estimates.tolist(), fit.inverse_diagonal.tolist(), strict=True):
        estimates[k] = estimate
        errors[k] = None if variance is None else math.sqrt(variance * diagonal)
    return LinearFit(
        names=design.names,
        estimates=estimates,
        std_errors=errors,
        residuals=fit.residuals,
        n=n,
        df_model=df_model,
        df_residual=df,
        ss_residual=residual_ss,
        ss_total=total,
        ss_model=model,
        residual_sd=None if variance is None else math.sqrt(variance),
        r_squared=1 - residual_ss / total if total else None,
        f=model / df_model / variance if variance and df_model > 0 else None,
        perfect=perfect,
        aliased=[design.names[k] for k in fit.aliased],
        condition_number=orthogonal.condition_number(design.matrix[:, fit.kept]),
        arithmetic="double",
        digits=fit.digits,
        settled=fit.converged,
    )
