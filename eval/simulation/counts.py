"""Cases of contingency tables."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from eval.simulation.data import covers, rejects, result
from eval.simulation.trials import COVERAGE, REJECTION, Case, Outcomes, Quantity

SIZES = (20, 60, 200)
_FEW = "the chi-square distribution is an approximation; the result warns where fewer than five are expected"

Matrix = npt.NDArray[np.float64]


def _independent(rows: list[float], columns: list[float]) -> Matrix:
    return np.outer(rows, columns)


# probabilities of the cells
_TABLES: Mapping[str, Matrix] = {
    "2 × 2, even, independent": _independent([0.5, 0.5], [0.5, 0.5]),
    "2 × 2, uneven, independent": _independent([0.8, 0.2], [0.7, 0.3]),
    "2 × 2, associated": np.array([[0.35, 0.15], [0.15, 0.35]]),
    "2 × 2, strongly associated": np.array([[0.45, 0.05], [0.05, 0.45]]),
    "3 × 3, independent": _independent([1 / 3] * 3, [0.5, 0.3, 0.2]),
    "3 × 3, associated": np.array([[0.2, 0.07, 0.06], [0.07, 0.2, 0.06], [0.06, 0.06, 0.22]]),
    "4 × 3, independent": _independent([0.4, 0.3, 0.2, 0.1], [0.5, 0.3, 0.2]),
}


def cases() -> list[Case]:
    return [_table(name, n, cells) for name, cells in _TABLES.items() for n in SIZES]


def _table(name: str, n: int, cells: Matrix) -> Case:
    expected = np.outer(cells.sum(axis=1), cells.sum(axis=0))
    squares = float(((cells - expected) ** 2 / expected).sum())
    null = squares < 1e-12
    v = 0.0 if null else math.sqrt(squares / (min(cells.shape) - 1))
    two = cells.shape == (2, 2)
    odds = float(cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0])) if two else math.nan
    flat = cells.ravel() / cells.sum()

    def trial(rng: np.random.Generator) -> Outcomes:
        drawn = rng.choice(len(flat), size=n, p=flat)
        rows = [f"r{k // cells.shape[1]}" for k in drawn.tolist()]
        columns = [f"c{k % cells.shape[1]}" for k in drawn.tolist()]
        found = result("contingency", {"r": rows, "c": columns}, row="r", column="c")
        if found is None or (len(found["row_levels"]), len(found["column_levels"])) != cells.shape:
            return {}
        outcomes: dict[str, float | None] = {"Cramér's V": covers(found, v, "cramers_v_")}
        if two:
            outcomes["odds ratio"] = covers(found, odds, "odds_ratio_")
        if null:
            outcomes["chi-square"] = rejects(found["p"])
            chosen = found["fisher_p"] if found["preferred"] == "fisher" else found["p"]
            outcomes["the test chosen"] = rejects(chosen)
            if two:
                outcomes["Fisher"] = rejects(found["fisher_p"])
        return outcomes

    quantities = [Quantity("Cramér's V", COVERAGE, 0.95)]
    if two:
        quantities.append(Quantity("odds ratio", COVERAGE, 0.95))
    if null:
        few = n * expected.min() < 5
        quantities += [
            Quantity("chi-square", REJECTION, 0.05, _FEW if few else ""),
            Quantity("the test chosen", REJECTION, 0.05),
        ]
        quantities += [Quantity("Fisher", REJECTION, 0.05)] if two else []
    return Case(f"contingency {name}", n, tuple(quantities), trial)
