"""Whether a combination of columns predicts without fault, so that a likelihood has no finite maximum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load

Vector = npt.NDArray[np.float64]

_TOLERANCE = 1e-7
_ROWS_AT_ONCE = 4_000
_ROUNDS = 30


def diverging_direction(matrix: Vector, response: Vector, family: str) -> list[int] | None:
    """The columns whose coefficients grow without bound, or None where the maximum is finite.

    Linear programming (Konis 2007): a direction along which no row gets less likely and some get more likely. Rows
    are taken in as they are violated. `matrix` has columns of similar size and full rank; the response is binomial
    (0 and 1; other values bind the direction on both sides) or Poisson.
    """
    if family == "binomial":
        gain = np.where(response == 1, 1.0, -1.0)[:, None] * matrix
        bound = (response > 0) & (response < 1)
    else:
        gain = -matrix
        bound = response > 0
    norms = np.linalg.norm(gain, axis=1)
    gain = gain / np.where(norms > 0, norms, 1.0)[:, None]
    total = gain[~bound].sum(axis=0)
    if not np.any(~bound):
        return None
    linprog = load("scipy.optimize").linprog
    chosen = np.zeros(len(gain), dtype=bool)
    chosen[np.linspace(0, len(gain) - 1, min(len(gain), _ROWS_AT_ONCE)).astype(int)] = True
    direction = np.zeros(matrix.shape[1])
    for _ in range(_ROUNDS):
        upper, equal = chosen & ~bound, chosen & bound
        found = linprog(
            -total,
            A_ub=-gain[upper] if upper.any() else None,
            b_ub=np.zeros(int(upper.sum())) if upper.any() else None,
            A_eq=gain[equal] if equal.any() else None,
            b_eq=np.zeros(int(equal.sum())) if equal.any() else None,
            bounds=(-1.0, 1.0),
            method="highs",
        )
        if found.status != 0 or -found.fun <= _TOLERANCE * len(gain) ** 0.5:
            return None
        direction = np.asarray(found.x, dtype=np.float64)
        moved = gain @ direction
        short = np.where(bound, np.abs(moved), -moved)
        violated = np.flatnonzero((short > _TOLERANCE) & ~chosen)
        if not len(violated):
            break
        worst = violated[np.argsort(-short[violated], kind="stable")[:_ROWS_AT_ONCE]]
        chosen[worst] = True
    else:
        return None
    return [int(j) for j in np.flatnonzero(np.abs(direction) > 1e-6)]
