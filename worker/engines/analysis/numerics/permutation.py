"""p-values by permutation, for samples too small or too regular for a continuous distribution."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import permutations

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.ranks import tie_sizes

MAX_ENUMERATED = 8
"""8! = 40,320 orders are enumerated; beyond, only what is needed is counted."""
MAX_KENDALL = 10
_MOST_FACTORIAL = 5_000
"""Beyond it the factorials have so many digits that their logarithms must do."""
_TOLERANCE = 1e-12

Vector = npt.NDArray[np.float64]


def correlation_p(x: Sequence[float], y: Sequence[float]) -> float:
    """Exact two-sided p of Pearson's r (on ranks: of Spearman's ρ): the share of all orders of `y` whose correlation
    with `x` is at least as strong. Needs at most :data:`MAX_ENUMERATED` values, not all equal."""
    a, b = _standardised(x), _standardised(y)
    every = b[_orders(len(b))] @ a
    return float(np.count_nonzero(np.abs(every) >= abs(float(b @ a)) - _TOLERANCE) / len(every))


def sampled_p(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, seed: int, orders: int = 9_999) -> float:
    """As :func:`correlation_p`, over `orders` random ones and the one seen (Phipson and Smyth 2010)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    a, b = _standardised(x.tolist()), _standardised(y.tolist())
    drawn = rng.permuted(np.broadcast_to(b, (orders, len(b))), axis=1) @ a
    return float((1 + np.count_nonzero(np.abs(drawn) >= abs(float(b @ a)) - _TOLERANCE)) / (1 + orders))


def perfect_p(values: Sequence[float]) -> float:
    """Two-sided p of a perfect correlation by permutation: twice the share of the orders that leave `values` as they
    are, which is 2/n! without ties. The smallest normal double where that is less."""
    if len(values) > _MOST_FACTORIAL:
        logarithm = math.fsum(math.lgamma(size + 1) for size in tie_sizes(values)) - math.lgamma(len(values) + 1)
        return min(1.0, max(2 * math.exp(max(logarithm, -800.0)), sys.float_info.min))
    orders = math.prod(math.factorial(size) for size in tie_sizes(values))
    share = Fraction(2 * orders, math.factorial(len(values)))
    return min(1.0, max(float(share), sys.float_info.min))


def kendall_p(s: int, n: int) -> float:
    """Exact two-sided p of Kendall's S without ties (Kendall and Gibbons, Rank Correlation Methods, 1990): the share of
    all n! orders with a score at least as far from 0."""
    inversions = _inversions(n)
    pairs = n * (n - 1) // 2
    extreme = sum(count for k, count in enumerate(inversions) if abs(pairs - 2 * k) >= abs(s))
    return float(Fraction(extreme, math.factorial(n)))


def _standardised(values: Sequence[float]) -> Vector:
    centred = np.asarray(values, dtype=np.float64)
    centred = centred - centred.mean()
    return np.asarray(centred / math.sqrt(float(centred @ centred)), dtype=np.float64)


@cache
def _orders(n: int) -> npt.NDArray[np.intp]:
    return np.array(list(permutations(range(n))), dtype=np.intp)


@cache
def _inversions(n: int) -> tuple[int, ...]:
    """How many orders of n things have 0, 1, 2, … inversions."""
    counts = [1]
    for size in range(2, n + 1):
        longer = [0] * (len(counts) + size - 1)
        for k, count in enumerate(counts):
            for more in range(size):
                longer[k + more] += count
        counts = longer
    return tuple(counts)
