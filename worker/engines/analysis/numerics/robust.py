"""How far values and rows lie from the bulk, by estimates that the far ones cannot move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

MAD_TO_SD = 1.482602218505602
"""The standard deviation of a normal distribution over its median absolute deviation."""
SHARE = 0.75
"""The share of the rows that the most concentrated subset holds; a quarter may be anything."""
MAX_ROWS = 2_000
"""Rows from which the most concentrated subset is sought."""
_STARTS, _KEPT, _FIRST_STEPS, _STEPS = 15, 2, 2, 50
_TOGETHER = 30_000
"""Values that go through each step together: what stays in a processor's cache."""
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
    z, centre, scale = _standardised(values[None])
    if not np.all(scale > 0):
        raise Singular
    chosen = z if n <= MAX_ROWS else z[:, np.sort(rng.choice(n, size=MAX_ROWS, replace=False, shuffle=False))]
    means, covariances = _concentrated(chosen, _starts(chosen.shape[1], rng)[None])
    squared, used, mean, covariance = _reweighted(z[0], means[0], covariances[0])
    inside, outside = _tails(squared, used, p)
    spread = np.sqrt(np.diagonal(covariance))
    variances, vectors = np.linalg.eigh(covariance / spread[:, None] / spread[None, :])
    root = np.einsum("ij,j,kj->ik", vectors, 1 / np.sqrt(variances), vectors)
    p_values = np.empty(n)
    p_values[used], p_values[~used] = inside, outside
    return Distances(squared, p_values, centre[0] + mean * scale[0], scale[0] * spread, root)


def smallest_by_chance(n: int, p: int, rng: np.random.Generator, sets: int) -> Matrix:
    """The smallest p of :func:`distances` in each of `sets` normal samples of n rows and p columns, in order.

    In small samples those p-values are too small; since the distances do not change under affine maps, what they come
    to without any far row depends on n and p alone. Up to 2,000 rows; several samples go through each step together.
    """
    found: list[float] = []
    together = max(1, _TOGETHER // (n * p * (_STARTS + 1)))
    while len(found) < sets:
        drawn = [(rng.standard_normal((n, p)), _starts(n, rng)) for _ in range(min(together, sets - len(found)))]
        z, _, scale = _standardised(np.stack([values for values, _ in drawn]))
        if not np.all(scale > 0):
            raise Singular
        means, covariances = _concentrated(z, np.stack([starts for _, starts in drawn]))
        for rows, mean, covariance in zip(z, means, covariances, strict=True):
            squared, used, _, _ = _reweighted(rows, mean, covariance)
            found.append(min(float(tail.min(initial=1.0)) for tail in _tails(squared, used, p)))
    return np.sort(found)


def _standardised(values: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Of sets × rows × columns: centred on medians, over scaled median absolute deviations; both of these."""
    centre = np.median(values, axis=1)
    away = values - centre[:, None]
    scale = MAD_TO_SD * np.median(np.abs(away), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return away / scale[:, None], centre, scale


def _reweighted(z: Matrix, mean: Matrix, covariance: Matrix) -> tuple[Matrix, Flags, Matrix, Matrix]:
    """Final squared distances, the rows that they rest on, and the centre and covariance of these."""
    p = z.shape[1]
    special = load("scipy.special")
    squared = _squared(z, mean, covariance)
    # The bulk's median distance shall be that of a normal distribution.
    squared *= special.chdtri(p, 0.5) / float(np.median(squared))
    used = squared <= special.chdtri(p, 1 - _WEIGHT)
    w = int(used.sum())
    if w <= p + 1:
        raise Singular
    means, covariances = _moments(z[used][None])
    covariance = covariances[0] * (_WEIGHT / special.chdtr(p + 2, special.chdtri(p, 1 - _WEIGHT)))
    return _squared(z, means[0], covariance), used, means[0], covariance


def _squared(z: Matrix, mean: Matrix, covariance: Matrix) -> Matrix:
    factors, regular = _factors(covariance[None])
    if not regular[0]:
        raise Singular
    return np.asarray(_all_squared(z[None], mean[None], factors)[0], dtype=np.float64)


def _tails(squared: Matrix, used: Flags, p: int) -> tuple[Matrix, Matrix]:
    """p of the rows used and of the others."""
    special, w = load("scipy.special"), int(used.sum())
    inside = special.betainc(p / 2, (w - p - 1) / 2, np.minimum(1.0, squared[used] * w / (w - 1) ** 2))
    outside = special.fdtrc(p, w - p, squared[~used] * w * (w - p) / ((w + 1) * (w - 1) * p))
    return 1 - inside, outside


def _starts(n: int, rng: np.random.Generator) -> Places:
    """Orders of n rows, the first for rows in order of their distance from the medians: its nearer half is mixed."""
    nearer = np.concatenate([rng.permutation(n // 2), np.arange(n // 2, n)])
    return np.stack([nearer, *(rng.permutation(n) for _ in range(_STARTS))])


def _concentrated(z: Matrix, starts: Places) -> tuple[Matrix, Matrix]:
    """Means and covariances of the rows whose covariance has the least determinant, by steps of concentration.

    `z` is sets × rows × columns, `starts` sets × starts × rows.
    """
    sets, n, p = z.shape
    h = max(int(SHARE * n), (n + p + 1) // 2)
    # The rows next to the medians first: with many columns a random subset is seldom free of far ones.
    middle = np.argsort(np.round((z * z).sum(axis=2), 9), axis=1, kind="stable")
    orders = np.concatenate([np.take_along_axis(middle, starts[:, 0], axis=1)[:, None], starts[:, 1:]], axis=1)
    count = orders.shape[1]
    own = np.repeat(np.arange(sets), count)
    determinants, means, covariances = _steps(z, own, *_first(z, own, orders.reshape(-1, n)), h, _FIRST_STEPS)
    kept = []
    for at in range(0, sets * count, count):
        ranked = sorted((round(float(d), 9), at + i) for i, d in enumerate(determinants[at : at + count]) if d < np.inf)
        if not ranked:
            raise Singular
        kept += [place for _, place in ranked[:_KEPT]]
    own, factors = own[kept], _factors(covariances[kept])[0]
    nearest = _nearest(z[own], means[kept], factors, h)
    determinants, means, covariances = _steps(z, own, *_moments(z[own[:, None], nearest]), h, _STEPS)
    best: dict[int, int] = {}
    for i, (k, determinant) in enumerate(zip(own.tolist(), determinants.tolist(), strict=True)):
        if determinant < np.inf and (k not in best or determinant < determinants[best[k]] - 1e-9):
            best[k] = i
    if len(best) < sets:
        raise Singular
    places = [best[k] for k in range(sets)]
    return means[places], covariances[places]


def _first(z: Matrix, own: Places, orders: Places) -> tuple[Matrix, Matrix]:
    """Moments of each order's first rows: half of all for a set's first order, p + 1 for others, more if singular."""
    _, n, p = z.shape
    sizes = np.where(np.diff(own, prepend=-1) > 0, n // 2, p + 1)
    means, covariances = np.empty((len(own), p)), np.empty((len(own), p, p))
    left = np.arange(len(own))
    while len(left):
        regular = np.zeros(len(own), dtype=np.bool_)
        for size in np.unique(sizes[left]).tolist():
            these = left[sizes[left] == size]
            means[these], covariances[these] = _moments(z[own[these, None], orders[these, :size]])
            regular[these] = _factors(covariances[these])[1] | (size >= n)
        left = left[~regular[left]]
        sizes[left] += 1
    return means, covariances


def _steps(
    z: Matrix, own: Places, means: Matrix, covariances: Matrix, h: int, most: int
) -> tuple[Matrix, Matrix, Matrix]:
    """Each centre and covariance in the set `own` of it after up to `most` steps, with the logarithm of the
    determinant, which is infinite where a covariance came out singular. So many go together as fit into a cache."""
    together = max(1, _TOGETHER // (z.shape[1] * z.shape[2]))
    if len(own) > together:
        pieces = [slice(at, at + together) for at in range(0, len(own), together)]
        found = [_steps(z, own[piece], means[piece], covariances[piece], h, most) for piece in pieces]
        determinants, means, covariances = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return determinants, means, covariances
    determinants, means, covariances = np.full(len(own), np.inf), means.copy(), covariances.copy()
    active = np.arange(len(own))
    last: Places | None = None
    for step in range(most + 1):
        factors, regular = _factors(covariances[active])
        if not regular.all():
            active, factors, last = active[regular], factors[regular], None if last is None else last[regular]
        determinants[active] = 2 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
        if step == most or not len(active):
            break
        nearest = _nearest(z[own[active]], means[active], factors, h)
        if last is not None:
            moved = np.any(nearest != last, axis=1)
            active, nearest = active[moved], nearest[moved]
        means[active], covariances[active] = _moments(z[own[active, None], nearest])
        determinants[active] = np.inf
        last = nearest
    return determinants, means, covariances


def _factors(covariances: Matrix) -> tuple[Matrix, Flags]:
    """The Cholesky factors, and which covariances are regular to rounding."""
    try:
        factors = np.asarray(np.linalg.cholesky(covariances), dtype=np.float64)
    except np.linalg.LinAlgError:
        if len(covariances) == 1:
            return np.full_like(covariances, np.nan), np.zeros(1, dtype=np.bool_)
        apart = [_factors(covariance[None]) for covariance in covariances]
        return np.concatenate([factor for factor, _ in apart]), np.concatenate([regular for _, regular in apart])
    diagonals = np.diagonal(factors, axis1=1, axis2=2)
    return factors, diagonals.min(axis=1, initial=np.inf) > _SINGULAR * diagonals.max(axis=1, initial=0.0)


def _nearest(z: Matrix, means: Matrix, factors: Matrix, h: int) -> Places:
    """Places, in order, of the h rows of each set nearest to its centre; the earlier of equally near ones."""
    squared = np.round(_all_squared(z, means, factors), 9)
    within = squared <= np.partition(squared, h - 1, axis=1)[:, h - 1 : h]
    for i in np.flatnonzero(within.sum(axis=1) != h).tolist():
        within[i] = False
        within[i, np.argsort(squared[i], kind="stable")[:h]] = True
    return np.nonzero(within)[1].reshape(len(z), h)


def _moments(rows: Matrix) -> tuple[Matrix, Matrix]:
    """Means and covariances of sets × rows × columns."""
    means = rows.mean(axis=1)
    centred = rows - means[:, None]
    return means, np.asarray(centred.swapaxes(1, 2) @ centred, dtype=np.float64) / (rows.shape[1] - 1)


def _all_squared(z: Matrix, means: Matrix, factors: Matrix) -> Matrix:
    away = (z - means[:, None]) @ np.linalg.inv(factors).swapaxes(1, 2)
    return np.asarray((away**2).sum(axis=2), dtype=np.float64)


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
