"""Ranks with ties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def mid_ranks(values: Sequence[float] | npt.NDArray[np.float64] | npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], dtype=np.float64)


def steps(values: npt.NDArray[np.float64], off: npt.NDArray[np.float64] | float) -> npt.NDArray[np.intp]:
    """The place of each value among the different ones, from 0, where each may be `off` by so much from what it stands
    for: values whose ranges `value` ± `off` overlap, at once or by way of others, count as equal."""
    low = values - off
    order = np.argsort(low, kind="stable")
    reach = np.maximum.accumulate((values + off)[order])
    places = np.zeros(len(values), dtype=np.intp)
    places[order[1:]] = np.cumsum(low[order][1:] > reach[:-1])
    return places


def tie_sizes(values: Sequence[float] | npt.NDArray[np.float64] | npt.NDArray[np.intp]) -> list[int]:
    """How often each distinct value occurs."""
    return [int(c) for c in np.unique(np.asarray(values, dtype=np.float64), return_counts=True)[1]]
