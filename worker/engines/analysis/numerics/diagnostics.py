"""What the residuals and the design of a linear model say about its assumptions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.distributions import chi2_upper, f_upper
from worker.engines.analysis.numerics.glm import fit_glm, independent_columns

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Influence:
    """By row: leverage, Cook's distance and residual over its own standard error (None where nothing is left over)."""

    leverage: Vector
    cooks_distance: Vector
    studentised: Vector


def influence(matrix: Vector, residuals: Vector) -> Influence | None:
    """Of a least-squares fit on the independent columns of `matrix`; None without residual degrees of freedom."""
    kept = independent_columns(matrix)
    n, p = len(residuals), len(kept)
    if n <= p:
        return None
    variance = math.fsum((residuals * residuals).tolist()) / (n - p)
    if variance <= 0:
        return None
    q = np.linalg.qr(matrix[:, kept] / np.linalg.norm(matrix[:, kept], axis=0))[0]
    leverage = np.minimum((q * q).sum(axis=1), 1.0)
    left = np.maximum(1 - leverage, 1e-12)
    studentised = residuals / np.sqrt(variance * left)
    # A row with leverage one is fitted whatever its value: its residual is rounding.
    studentised = np.where(leverage > 1 - 1e-9, 0.0, studentised)
    return Influence(leverage, studentised**2 * leverage / left / p, studentised)


def hc3_errors(matrix: Vector, residuals: Vector) -> Vector:
    """Standard errors that hold under uneven scatter (MacKinnon and White's (1985) HC3); NaN for aliased columns."""
    kept = independent_columns(matrix)
    scale = np.linalg.norm(matrix[:, kept], axis=0)
    q, r = np.linalg.qr(matrix[:, kept] / scale)
    left = np.maximum(1 - (q * q).sum(axis=1), 1e-12)
    half = np.linalg.solve(r, (q * (residuals / left)[:, None]).T)
    errors = np.full(matrix.shape[1], np.nan)
    errors[kept] = np.sqrt((half * half).sum(axis=1)) / scale
    return errors


def breusch_pagan(matrix: Vector, residuals: Vector) -> tuple[float, float] | None:
    """Koenker's studentised statistic and its p; `matrix` holds an intercept. None where nothing can be told."""
    squares = residuals * residuals
    spread = squares - squares.mean()
    total = math.fsum((spread * spread).tolist())
    fit = fit_glm(matrix, squares, "gaussian")
    df = len(fit.kept) - 1
    if df < 1 or total <= 0:
        return None
    statistic = max(0.0, len(squares) * (1 - fit.deviance / total))
    return statistic, chi2_upper(statistic, df)


def reset(matrix: Vector, response: Vector, fitted: Vector) -> tuple[float, float] | None:
    """Ramsey's (1969) test: F and p of the fitted values' square and cube as further columns."""
    spread = float(fitted.std())
    if spread <= 1e-12 * float(np.max(np.abs(fitted), initial=0.0)):
        return None
    scaled = (fitted - fitted.mean()) / spread
    return _added(_basis(matrix), response - fitted, np.column_stack([scaled**2, scaled**3]))


def bends(matrix: Vector, residuals: Vector, columns: Sequence[int]) -> dict[int, float]:
    """By column, p of its square (about its mean) as a further column of the least-squares model with `residuals`."""
    basis = _basis(matrix)
    out = {}
    for j in columns:
        centred = matrix[:, j] - matrix[:, j].mean()
        spread = float(np.max(np.abs(centred)))
        tested = _added(basis, residuals, ((centred / spread) ** 2)[:, None]) if spread > 0 else None
        if tested is not None:
            out[j] = tested[1]
    return out


def _basis(matrix: Vector) -> Vector:
    """Orthonormal columns that span those of `matrix`."""
    kept = matrix[:, independent_columns(matrix)]
    return np.linalg.qr(kept / np.linalg.norm(kept, axis=0))[0]


def _added(basis: Vector, residuals: Vector, extra: Vector) -> tuple[float, float] | None:
    """F and p of further columns of a least-squares model, whose columns `basis` spans."""
    before = np.linalg.norm(extra, axis=0)
    for _ in range(2):  # Twice is enough to be orthogonal to rounding.
        extra = extra - basis @ (basis.T @ extra)
    extra = extra[:, np.linalg.norm(extra, axis=0) > 1e-10 * before]
    if not extra.shape[1]:
        return None
    new = extra[:, independent_columns(extra)]
    q = np.linalg.qr(new / np.linalg.norm(new, axis=0))[0]
    gain = float(((q.T @ residuals) ** 2).sum())
    rest = float(residuals @ residuals) - gain
    df = len(residuals) - basis.shape[1] - q.shape[1]
    if df < 1 or rest <= 0:
        return None
    f = gain / q.shape[1] / (rest / df)
    return f, f_upper(f, q.shape[1], df)


def variance_inflation(matrix: Vector, terms: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Per term (its columns of `matrix`, an intercept not among them) Fox and Monette's (1992) generalised inflation
    factor GVIF^(1/df), which is the usual VIF for a single column."""
    used = [j for columns in terms.values() for j in columns]
    if len(terms) < 2:
        return {}
    centred = matrix[:, used] - matrix[:, used].mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    if not np.all(norms > 0):
        return {}
    correlation = (centred / norms).T @ (centred / norms)
    place = {j: i for i, j in enumerate(used)}
    sign, whole = np.linalg.slogdet(correlation)
    if sign <= 0 or not math.isfinite(whole):
        return {}
    out = {}
    for name, columns in terms.items():
        inside = [place[j] for j in columns]
        outside = [i for i in range(len(used)) if i not in inside]
        first = float(np.linalg.slogdet(correlation[np.ix_(inside, inside)])[1])
        second = float(np.linalg.slogdet(correlation[np.ix_(outside, outside)])[1])
        out[name] = math.exp((first + second - float(whole)) / len(columns))
    return out


def durbin_watson(residuals: Vector) -> float:
    """About 2 where neighbouring residuals are unrelated, near 0 where they are alike, near 4 where they alternate."""
    return math.fsum((np.diff(residuals) ** 2).tolist()) / math.fsum((residuals * residuals).tolist())
