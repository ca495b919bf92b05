"""Correlations of many pairs of long columns: each column is sorted once, sums go block by block."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.double_double import Vector

_BLOCK = 32_768


class SortedColumns:
    """Remembers each column's order and ranks (8 bytes a row), so that ranks in any rows are found without sorting."""

    def __init__(self) -> None:
        self._orders: dict[str, npt.NDArray[np.int32]] = {}
        self._doubled: dict[str, npt.NDArray[np.int32]] = {}
        """Twice the ranks of columns without a missing value: whole numbers."""

    def ranks(self, name: str, values: Vector, rows: npt.NDArray[np.intp]) -> Vector:
        """Mid-ranks of ``values[rows]`` among themselves; `values` is the whole column of that name."""
        if name not in self._orders:
            self._orders[name] = np.argsort(values, kind="stable").astype(np.int32)
        order = self._orders[name]
        whole = len(rows) == len(values)
        if whole and name in self._doubled:
            return self._doubled[name] / 2
        if not whole:
            among = np.zeros(len(values), dtype=bool)
            among[rows] = True
            order = order[among[order]]
        ordered = values[order]
        first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        sizes = np.diff(np.append(first, len(ordered)))
        ranks = np.empty(len(values))
        ranks[order] = np.repeat(first + (sizes + 1) / 2, sizes)
        if whole:
            self._doubled[name] = (2 * ranks).astype(np.int32)
        return ranks[rows]


def correlation_of(x: Vector, y: Vector) -> float | None:
    """Pearson's r, None where a column does not vary. Good to about 1e-15."""
    centred = []
    for values in (x, y):
        low, high = float(values.min()), float(values.max())
        if low >= high:
            return None
        size = max(abs(low), abs(high))
        centred.append((values.mean() / size, size))
    sums: list[list[float]] = [[] for _ in range(5)]
    for start in range(0, len(x), _BLOCK):
        (p, size_x), (q, size_y) = centred
        a = x[start : start + _BLOCK] / size_x - p
        b = y[start : start + _BLOCK] / size_y - q
        for part, value in zip(sums, (a.sum(), b.sum(), a @ a, b @ b, a @ b), strict=True):
            part.append(float(value))
    a_sum, b_sum, aa, bb, ab = map(math.fsum, sums)
    n = len(x)
    lengths = [aa - a_sum * a_sum / n, bb - b_sum * b_sum / n]
    if min(lengths) <= 0:
        return None
    return max(-1.0, min(1.0, (ab - a_sum * b_sum / n) / math.sqrt(lengths[0]) / math.sqrt(lengths[1])))
