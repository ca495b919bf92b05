"""Correlations of many pairs of long columns: each column is sorted once."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.all_pairs import pearson_matrix
from worker.engines.analysis.numerics.double_double import Vector

_LARGE = 1e100
"""Magnitudes beyond it, or below one over it, are brought to 1, so that no square or sum leaves the doubles."""


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


def doubled_ranks(values: Vector) -> npt.NDArray[np.int32]:
    """Twice the mid-ranks, which are whole numbers; no value may be missing."""
    order = np.argsort(values)
    ordered = values[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(np.append(first, len(ordered)))
    ranks = np.empty(len(values), dtype=np.int32)
    ranks[order] = np.repeat(2 * first + sizes + 1, sizes)
    return ranks


def correlation_of(x: Vector, y: Vector) -> float | None:
    """Pearson's r, None where a column does not vary. Good to about 1e-15."""
    sized = []
    for values in (x, y):
        low, high = float(values.min()), float(values.max())
        if low >= high:
            return None
        largest = max(abs(low), abs(high))
        sized.append(values / largest if largest > _LARGE or largest < 1 / _LARGE else values)
    r = float(pearson_matrix(sized)[0, 1])
    return None if math.isnan(r) else r
