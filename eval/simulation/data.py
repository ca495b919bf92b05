"""Tables with a known truth, and short ways to a task's result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.ranks import mid_ranks
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.registry import run_task
from worker.engines.analysis.tasks.task import Task

Vector = npt.NDArray[np.float64]
Pair = Callable[[np.random.Generator, int], tuple[Vector, Vector]]

_DIGITS = 5
_MANY = 400_000


def table(columns: Mapping[str, Vector | Sequence[str]]) -> Table:
    """A table as reading a file of such cells would make it: numbers with five decimals, or categories."""
    made = []
    for name, values in columns.items():
        if isinstance(values, np.ndarray):
            cells = [f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".") for value in values.tolist()]
            made.append(Column(name, ColumnType.NUMBER, tuple(cells)))
        else:
            made.append(Column(name, ColumnType.CATEGORY, tuple(values)))
    return Table("simulated", tuple(made), len(next(iter(columns.values()))), "")


def result(kind: str, data: Mapping[str, Vector | Sequence[str]], /, **arguments: Any) -> dict[str, Any] | None:
    """One task on such a table, as a session runs it; None where the data cannot answer."""
    try:
        return run_task(table(data), Task(kind, arguments, "simulation", 1))
    except NotPossible:
        return None


def covers(block: Mapping[str, Any] | None, truth: float, prefix: str = "") -> float | None:
    """Whether the block's interval holds `truth`; None where it gives none."""
    if block is None or block.get(f"{prefix}ci_low") is None or block.get(f"{prefix}ci_high") is None:
        return None
    slack = 1e-9 * max(1.0, abs(truth))
    return float(block[f"{prefix}ci_low"] - slack <= truth <= block[f"{prefix}ci_high"] + slack)


def rejects(p: float | None, level: float = 0.05) -> float | None:
    return None if p is None else float(p < level)


def normal_pair(rho: float) -> Pair:
    def draw(rng: np.random.Generator, n: int) -> tuple[Vector, Vector]:
        x = rng.standard_normal(n)
        return x, rho * x + np.sqrt(1 - rho * rho) * rng.standard_normal(n)

    return draw


def heavy_pair(rho: float, df: int = 5) -> Pair:
    """A bivariate t distribution."""
    normal = normal_pair(rho)

    def draw(rng: np.random.Generator, n: int) -> tuple[Vector, Vector]:
        x, y = normal(rng, n)
        scale = np.sqrt(df / rng.chisquare(df, n))
        return x * scale, y * scale

    return draw


def skewed_pair(rho: float) -> Pair:
    normal = normal_pair(rho)

    def draw(rng: np.random.Generator, n: int) -> tuple[Vector, Vector]:
        x, y = normal(rng, n)
        return np.exp(x), np.exp(y)

    return draw


def tied_pair(rho: float) -> Pair:
    """Five or so distinct values each."""
    normal = normal_pair(rho)

    def draw(rng: np.random.Generator, n: int) -> tuple[Vector, Vector]:
        x, y = normal(rng, n)
        return np.round(x), np.round(y)

    return draw


def _large_sample(draw: Pair) -> tuple[Vector, Vector]:
    return draw(np.random.Generator(np.random.PCG64(20_240_229)), _MANY)


@cache
def pearson_truth(draw: Pair) -> float:
    """From a sample so large that its own error (about 0.001) does not matter beside that of the intervals."""
    x, y = _large_sample(draw)
    return float(np.corrcoef(x, y)[0, 1])


@cache
def spearman_truth(draw: Pair) -> float:
    x, y = _large_sample(draw)
    return float(np.corrcoef(mid_ranks(x.tolist()), mid_ranks(y.tolist()))[0, 1])


@cache
def kendall_truth(draw: Pair) -> float:
    """τ-b of the population, from a large sample of pairs of pairs."""
    x, y = _large_sample(draw)
    half = len(x) // 2
    a, b = np.sign(x[:half] - x[half:]), np.sign(y[:half] - y[half:])
    return float((a * b).mean() / np.sqrt(np.abs(a).mean() * np.abs(b).mean()))


@cache
def superiority_truth(draw: Pair) -> float:
    """P(first > second) + ½ P(equal)."""
    x, y = _large_sample(draw)
    return float((x > y).mean() + 0.5 * (x == y).mean())
