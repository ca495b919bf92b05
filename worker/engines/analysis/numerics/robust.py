"""How far values and rows lie from the bulk, by estimates that the far ones cannot move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

MAD_TO_SD = 1.482602218505602
"""The standard deviation of a normal distribution over its median absolute deviation."""
SHARE = 0.75
"""The share of the rows that the most concentrated subset holds; a quarter may be anything."""
MAX_ROWS = 2_000
"""Rows from which the most concentrated subset is sought."""
_STARTS, _KEPT, _FIRST_STEPS, _STEPS = 15, 2, 2, 50
_EFFICIENCY = 0.37
_WEIGHT = 0.975
_SINGULAR = 1e-6


class Singular(Exception):
    """So many rows lie in one plane that distances from it are not defined."""


@dataclass(frozen=True, slots=True)
class Deviations:
    """`scores` in robust standard deviations from `centre`, and their two-sided `p`."""

    centre: float
    spread: float
    scores: Matrix
    p: Matrix


def deviations(values: Matrix) -> Deviations | None:
    """Each value's distance from the median over the scaled median absolute deviation; None if that is 0.

    Under a normal distribution such a score follows nearly Student's t with 0.37 (n − 1) degrees of freedom: the
    median absolute deviation knows as much of the scatter as 37 % of the values would.
    """
    centre = float(np.median(values))
    away = values - centre
    spread = MAD_TO_SD * float(np.median(np.abs(away)))
    if spread <= 0 or not np.isfinite(spread):
        return None
    # The median absolute deviation is too small by about this factor in small samples (Croux and Rousseeuw 1992).
    n = len(values)
    spread *= n / (n - 0.8) if n > 9 else 1.2
    scores = away / spread
    df = _EFFICIENCY * (n - 1)
    return Deviations(centre, spread, scores, 2 * load("scipy.special").stdtr(df, -np.abs(scores)))


@dataclass(frozen=True, slots=True)
class Distances:
    """Robust squared distances of rows from the bulk, and their p-values.

    `centre`, `scale` and `root` turn a row into parts that add up to its squared distance.
    """

    squared: Matrix
    p: Matrix
    centre: Matrix
    scale: Matrix
    root: Matrix

    def parts(self, rows: Matrix) -> Matrix:
        """Each column's part in the squared distances of `rows` (Garthwaite and Koch 2016)."""
        return np.asarray(np.einsum("ij,kj->ik", (rows - self.centre) / self.scale, self.root) ** 2)


def distances(values: Matrix, rng: np.random.Generator) -> Distances:
    """Distances by the reweighted minimum covariance determinant (Rousseeuw and Van Driessen 1999).

    Of the n × p values the most concentrated three quarters give a first centre and covariance; the rows then within
    the 97.5 % point of χ² give the final ones. p by Cerioli (2010): scaled Beta for the rows used, scaled F for the
    others. Raises :class:`Singular`.
    """
    n, p = values.shape
    centre = np.median(values, axis=0)
    scale = MAD_TO_SD * np.median(np.abs(values - centre), axis=0)
    if not np.all(scale > 0):
        raise Singular
    z = (values - centre) / scale
    chosen = z if n <= MAX_ROWS else z[np.sort(rng.choice(n, size=MAX_ROWS, replace=False, shuffle=False))]
    mean, covariance = _concentrated(chosen, rng)
    special = load("scipy.special")
    first = _factor(covariance)
    if first is None:
        raise Singular
    squared = _squared(z, mean, first)
    # The bulk's median distance shall be that of a normal distribution.
    squared *= special.chdtri(p, 0.5) / float(np.median(squared))
    used = squared <= special.chdtri(p, 1 - _WEIGHT)
    w = int(used.sum())
    if w <= p + 1:
        raise Singular
    mean = z[used].mean(axis=0)
    covariance = _covariance(z[used] - mean, w - 1) * (_WEIGHT / special.chdtr(p + 2, special.chdtri(p, 1 - _WEIGHT)))
    final = _factor(covariance)
    if final is None:
        raise Singular
    squared = _squared(z, mean, final)
    inside = special.betainc(p / 2, (w - p - 1) / 2, np.minimum(1.0, squared * w / (w - 1) ** 2))
    outside = special.fdtrc(p, w - p, squared * w * (w - p) / ((w + 1) * (w - 1) * p))
    spread = np.sqrt(np.diagonal(covariance))
    variances, vectors = np.linalg.eigh(covariance / spread[:, None] / spread[None, :])
    root = np.einsum("ij,j,kj->ik", vectors, 1 / np.sqrt(variances), vectors)
    return Distances(squared, np.where(used, 1 - inside, outside), centre + mean * scale, scale * spread, root)


def smallest_by_chance(n: int, p: int, rng: np.random.Generator, sets: int) -> Matrix:
    """The smallest p of :func:`distances` in each of `sets` normal samples of n rows and p columns, in order.

    In small samples those p-values are too small; since the distances do not change under affine maps, what they come
    to without any far row depends on n and p alone.
    """
    return np.sort([float(distances(rng.standard_normal((n, p)), rng).p.min()) for _ in range(sets)])


def _concentrated(z: Matrix, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Mean and covariance of the rows whose covariance has the least determinant, by steps of concentration."""
    n, p = z.shape
    h = max(int(SHARE * n), (n + p + 1) // 2)
    candidates: list[tuple[float, int, Matrix, Matrix]] = []
    middle = np.argsort(np.round((z * z).sum(axis=1), 9), kind="stable")
    for start in range(_STARTS + 1):
        # The rows next to the medians first: with many columns a random subset is seldom free of far ones.
        order = rng.permutation(n) if start else np.concatenate([rng.permutation(middle[: n // 2]), middle[n // 2 :]])
        size = p + 1 if start else n // 2
        subset = z[order[:size]]
        while size < n and _factor(_covariance(subset - subset.mean(axis=0), size - 1)) is None:
            size += 1
            subset = z[order[:size]]
        found = _steps(z, subset, h, _FIRST_STEPS)
        if found is not None:
            candidates.append((found[0], start, found[1], found[2]))
    if not candidates:
        raise Singular
    candidates.sort(key=lambda item: (round(item[0], 9), item[1]))
    best: tuple[float, Matrix, Matrix] | None = None
    for _, _, mean, covariance in candidates[:_KEPT]:
        factor = _factor(covariance)
        found = None if factor is None else _steps(z, z[_nearest(z, mean, factor, h)], h, _STEPS)
        if found is not None and (best is None or found[0] < best[0] - 1e-9):
            best = found
    if best is None:
        raise Singular
    return best[1], best[2]


def _steps(z: Matrix, subset: Matrix, h: int, most: int) -> tuple[float, Matrix, Matrix] | None:
    last: Places | None = None
    for step in range(most + 1):
        mean = subset.mean(axis=0)
        covariance = _covariance(subset - mean, len(subset) - 1)
        factor = _factor(covariance)
        if factor is None:
            return None
        nearest = _nearest(z, mean, factor, h)
        if step == most or (last is not None and np.array_equal(nearest, last)):
            return 2 * float(np.log(np.diagonal(factor)).sum()), mean, covariance
        last, subset = nearest, z[nearest]
    return None


def _factor(covariance: Matrix) -> Matrix | None:
    """The Cholesky factor, None where the covariance is singular to rounding."""
    try:
        factor = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    diagonal = np.diagonal(factor)
    return factor if float(diagonal.min()) > _SINGULAR * float(diagonal.max()) else None


def _nearest(z: Matrix, mean: Matrix, factor: Matrix, h: int) -> Places:
    order = np.argsort(np.round(_squared(z, mean, factor), 9), kind="stable")
    return np.sort(order[:h])


def _covariance(centred: Matrix, df: int) -> Matrix:
    return np.asarray(centred.T @ centred, dtype=np.float64) / df


def _squared(z: Matrix, mean: Matrix, factor: Matrix) -> Matrix:
    return np.asarray((((z - mean) @ np.linalg.inv(factor).T) ** 2).sum(axis=1), dtype=np.float64)


def local_trend(values: Matrix, reach: int) -> Matrix:
    """For each of a series' values the median of its `reach` neighbours on either side, without itself."""
    n = len(values)
    padded = np.concatenate([np.full(reach, np.nan), values, np.full(reach, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).copy()
    windows[:, reach] = np.nan
    if n <= 2 * reach:
        return np.asarray(np.nanmedian(windows, axis=1), dtype=np.float64)
    inner = np.delete(windows[reach : n - reach], reach, axis=1)
    out = np.empty(n)
    out[reach : n - reach] = np.median(inner, axis=1)
    out[:reach] = np.nanmedian(windows[:reach], axis=1)
    out[n - reach :] = np.nanmedian(windows[n - reach :], axis=1)
    return out
