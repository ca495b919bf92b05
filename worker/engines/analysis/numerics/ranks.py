"""Ranks with ties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def mid_ranks(values: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], dtype=np.float64)


def tie_sizes(values: Sequence[float] | npt.NDArray[np.float64]) -> list[int]:
    """How often each distinct value occurs."""
    return [int(c) for c in np.unique(np.asarray(values, dtype=np.float64), return_counts=True)[1]]
