"""Correlations of every pair of many columns at once, by products of matrices.

Columns are of equal length, NaN where a value is missing; a pair's rows are those where both are there. Results are
m × m for m columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.distributions import Z95, normal_two_sided
from worker.engines.analysis.numerics.kendall import Kendall, score_variance
from worker.engines.analysis.numerics.ranks import tie_sizes

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Signs = npt.NDArray[np.float32]

_BLOCK = 8_192
_CANCELLED = 1e-6
"""Where less than this share of a sum of squares is left when a pair's own means are taken out, digits are missing."""
_LARGE = 1e150


class _Sum:
    """An array that others are added to, with what rounding loses kept beside it (Neumaier 1974)."""

    def __init__(self, m: int) -> None:
        self._sum, self._lost = np.zeros((m, m)), np.zeros((m, m))

    def add(self, other: Matrix) -> None:
        new = self._sum + other
        kept = np.abs(self._sum) >= np.abs(other)
        self._lost += np.where(kept, (self._sum - new) + other, (other - new) + self._sum)
        self._sum = new

    @property
    def value(self) -> Matrix:
        return np.asarray(self._sum + self._lost, dtype=np.float64)


def pearson_matrix(columns: Sequence[npt.NDArray[np.float64] | npt.NDArray[np.int32]]) -> Matrix:
    """Pearson's r of each pair, good to about 1e-14; NaN where this way cannot tell: a column does not vary in the
    pair's rows, or varies so little there beside all its rows that digits would be lost.

    Every column is centred at its own mean and divided by its largest deviation before anything is multiplied.
    """
    m, n = len(columns), len(columns[0])
    whole = not any(np.isnan(column).any() for column in columns if column.dtype.kind == "f")
    centres = [_centre(column) for column in columns]
    xy, x, xx, count = (_Sum(m) for _ in range(4))
    for start in range(0, n, _BLOCK):
        z = np.empty((min(_BLOCK, n - start), m))
        for j, (centre, size) in enumerate(centres):
            z[:, j] = (columns[j][start : start + _BLOCK] - centre) / size
        if whole:
            xy.add(z.T @ z)
            x.add(np.broadcast_to(z.sum(axis=0)[:, None], (m, m)))
            continue
        there = ~np.isnan(z)
        z[~there] = 0.0
        mask = there.astype(np.float64)
        for held, product in ((xy, z.T @ z), (x, z.T @ mask), (xx, (z * z).T @ mask), (count, mask.T @ mask)):
            held.add(product)
    squares = np.broadcast_to(np.diag(xy.value)[:, None], (m, m)) if whole else xx.value
    counts = np.full((m, m), float(n)) if whole else count.value
    with np.errstate(divide="ignore", invalid="ignore"):
        scatter = squares - x.value**2 / counts
        r = (xy.value - x.value * x.value.T / counts) / np.sqrt(scatter) / np.sqrt(scatter.T)
        told = (scatter > _CANCELLED * squares) & (scatter.T > _CANCELLED * squares.T)
    return np.where(told, np.clip(r, -1.0, 1.0), math.nan)


def _centre(column: npt.NDArray[np.float64] | npt.NDArray[np.int32]) -> tuple[float, float]:
    """Mean and largest deviation; of what is constant or too large to be squared nothing sensible comes out: NaN."""
    present = column[~np.isnan(column)] if column.dtype.kind == "f" else column
    if not len(present):
        return 0.0, math.nan
    low, high = float(present.min()), float(present.max())
    if not (low < high and max(abs(low), abs(high)) < _LARGE):
        return 0.0, math.nan
    mean = float(present.mean())
    return mean, max(high - mean, mean - low)


def kendall_pairs(columns: Sequence[Vector]) -> dict[tuple[int, int], Kendall | None]:
    """As :func:`kendall.kendall` for each pair i < j, for a few thousand rows at most; p is the normal one.

    Signs of the differences of one row from all others are an m × n matrix; its product with its own transpose says for
    every pair of columns how many rows agree with that row. Sums are of whole numbers below 2^24, so exact.
    """
    m, n = len(columns), len(columns[0])
    there = np.vstack([~np.isnan(column) for column in columns])
    ranks = np.vstack([_dense(column) for column in columns])
    mask = there.astype(np.float32)
    whole = bool(there.all())
    agree, apart = np.empty((n, m, m), dtype=np.float32), np.empty((n, m, m), dtype=np.float32)
    for i in range(n):
        signs = np.clip(ranks[:, i : i + 1] - ranks, -1.0, 1.0)
        if not whole:
            signs *= mask * mask[:, i : i + 1]
        agree[i] = signs @ signs.T
        sizes = np.abs(signs)
        apart[i] = sizes.sum(axis=1)[:, None] if whole else (sizes @ mask.T) * mask[None, :, i]
    found: dict[tuple[int, int], Kendall | None] = {}
    for a in range(m):
        for b in range(a + 1, m):
            rows = there[a] & there[b]
            found[a, b] = _kendall(
                agree[rows, a, b].astype(np.float64),
                (apart[rows, a, b].astype(np.float64), apart[rows, b, a].astype(np.float64)),
                (columns[a][rows], columns[b][rows]),
            )
    return found


def _dense(column: Vector) -> Signs:
    """Places among the distinct values, NaN counted as one more."""
    places = np.unique(column, return_inverse=True)[1]
    return np.asarray(places, dtype=np.float32)


def _kendall(agree: Vector, apart: tuple[Vector, Vector], values: tuple[Vector, Vector]) -> Kendall | None:
    """From each row's balance of agreement with the others, and how many of them differ from it in either column."""
    n = len(agree)
    s, spread_x, spread_y = (float(part.sum()) / 2 for part in (agree, *apart))
    if n < 5 or spread_x <= 0 or spread_y <= 0:
        return None
    tau = max(-1.0, min(1.0, s / math.sqrt(spread_x) / math.sqrt(spread_y)))
    low: float | None = None
    high: float | None = None
    if abs(tau) < 1:
        # The variance is that of `kendall`: by the influence of each row.
        agree, x, y = (part / (n - 1) for part in (agree, *apart))
        mean_x, mean_y = float(x.mean()), float(y.mean())
        influence = agree / math.sqrt(mean_x * mean_y) - tau / 2 * (x / mean_x + y / mean_y)
        influence = influence - influence.mean()
        among = math.fsum((influence * influence).tolist()) / (n - 1)
        variance = 4 * (n - 2) / (n - 1) * among / n + 2 * (1 - tau * tau) / (n * (n - 1))
        half = Z95 * math.sqrt(variance) / (1 - tau * tau)
        low, high = math.tanh(math.atanh(tau) - half), math.tanh(math.atanh(tau) + half)
    variance = score_variance(n, tie_sizes(values[0]), tie_sizes(values[1]))
    p = normal_two_sided(s / math.sqrt(variance)) if variance > 0 else 1.0
    return Kendall(tau, low, high, p, "normal")
