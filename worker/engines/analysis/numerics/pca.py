"""Principal components by singular value decomposition, and how many of them exceed chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import chi2_upper

Matrix = npt.NDArray[np.float64]

_BLOCK = 20_000
_DIGITS = 9
_INDEPENDENT = 1e-10


@dataclass(frozen=True, slots=True)
class Components:
    """`variances` (m), largest first, in the square of the data's unit; `directions` (m × p) of unit length."""

    variances: Matrix
    directions: Matrix


def components(centred: Matrix) -> Components:
    """The principal components of an n × p matrix whose columns have mean 0.

    The matrix is first reduced to a triangle, block by block, so that neither its size nor its condition matters:
    the covariance, whose condition number is the square, is never formed. A direction's largest element is positive.
    """
    _, singular, directions = np.linalg.svd(_triangle(centred), full_matrices=False)
    m = min(len(centred) - 1, centred.shape[1])
    directions = directions[:m]
    # The largest element decides the sign; rounded, so that the last digit does not decide between two equal ones.
    leading = np.round(np.abs(directions), _DIGITS).argmax(axis=1)
    signs = np.where(directions[np.arange(m), leading] < 0, -1.0, 1.0)
    return Components(singular[:m] ** 2 / (len(centred) - 1), directions * signs[:, None])


def _triangle(matrix: Matrix) -> Matrix:
    """R of the orthogonal decomposition, from block after block."""
    triangle = matrix[:_BLOCK]
    for start in range(_BLOCK, len(matrix), _BLOCK):
        triangle = _r(np.vstack([triangle, matrix[start : start + _BLOCK]]))
    return _r(triangle)


def _r(matrix: Matrix) -> Matrix:
    return np.asarray(np.linalg.qr(matrix, mode="r"), dtype=np.float64)


def chance_variances(n: int, spreads: Matrix, rng: np.random.Generator, sets: int, quantile: float) -> Matrix:
    """What each component's variance stays below, with probability `quantile`, if no columns go together (Horn 1965).

    Normal columns whose standard deviations come out as `spreads` (1 for components of the correlation matrix). The
    triangle of such data is drawn itself (Bartlett 1933), so n costs nothing.
    """
    p = len(spreads)
    m = min(n - 1, p)
    simulated = np.empty((sets, m))
    for b in range(sets):
        if n - 1 >= p:
            root = np.triu(rng.standard_normal((p, p)), 1)
            root[np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(n - 1 - np.arange(p)))
        else:
            root = rng.standard_normal((n, p))
            root -= root.mean(axis=0)
        root *= spreads / np.linalg.norm(root, axis=0)
        simulated[b] = np.linalg.svd(root, compute_uv=False)[:m] ** 2
    return np.quantile(simulated, quantile, axis=0)


def above_chance(variances: Matrix, chance: Matrix) -> int:
    """How many leading components exceed chance; the first that does not ends the count."""
    above = variances > chance
    return int(above.argmin()) if not above.all() else len(above)


@dataclass(frozen=True, slots=True)
class Adequacy:
    """Whether the columns go together enough for components to make sense.

    `kmo` is Kaiser, Meyer and Olkin's measure (None where the correlation matrix is singular), `p` that of Bartlett's
    (1950) test that no columns are correlated (None where it is not defined).
    """

    kmo: float | None
    chi2: float | None
    df: int
    p: float | None


def adequacy(standardised: Matrix) -> Adequacy:
    """Of an n × p matrix of standardised columns."""
    n, p = standardised.shape
    df = p * (p - 1) // 2
    triangle = _triangle(standardised) / math.sqrt(n - 1)
    if n <= p or p < 2 or float(np.abs(np.diagonal(triangle)).min()) < _INDEPENDENT:
        return Adequacy(None, None, df, None)
    inverse = load("scipy.linalg").solve_triangular(triangle, np.eye(p))
    precision = inverse @ inverse.T
    scale = np.sqrt(np.diagonal(precision))
    partial = precision / scale[:, None] / scale[None, :]
    correlation = triangle.T @ triangle
    off = ~np.eye(p, dtype=bool)
    together, alone = float((correlation[off] ** 2).sum()), float((partial[off] ** 2).sum())
    log_determinant = 2 * float(np.log(np.abs(np.diagonal(triangle))).sum())
    chi2 = max(0.0, -(n - 1 - (2 * p + 5) / 6) * log_determinant)
    return Adequacy(together / (together + alone), chi2, df, chi2_upper(chi2, df))
