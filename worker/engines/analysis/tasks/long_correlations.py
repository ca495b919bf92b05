"""Many pairs of long columns: their three correlations together, which takes seconds where each alone takes hours."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.all_pairs import kendall_pairs, pearson_matrix
from worker.engines.analysis.numerics.kendall import Kendall
from worker.engines.analysis.numerics.many_pairs import doubled_ranks
from worker.engines.analysis.table import Column
from worker.engines.analysis.tasks.numeric_rows import sample_of

LEAST_ROWS = 100
KENDALL_ROWS = 3_000
_LEAST_KENDALL_ROWS = 1_000
_RANKED = 60_000_000
"""Values that are ranked anew for pairs of columns which miss values in different rows; beyond it rows are sampled."""
_LEAST_RANKED_ROWS = 20_000
_PERFECT = 1 - 1e-12


@dataclass(frozen=True, slots=True)
class Known:
    """A pair's correlations over its `n` rows; Spearman's over `ranked` of them, Kendall's over a sample."""

    n: int
    pearson: float
    spearman: float
    ranked: int
    kendall: Kendall


def known_pairs(columns: Sequence[Column], seed: int) -> tuple[dict[tuple[str, str], Known], list[str]]:
    """By names, and remarks on what was sampled.

    Pairs are left out that need a look of their own: a column hardly varies in their rows, or they go together
    perfectly, or few of their rows are in the sample.
    """
    values = [column.floats() for column in columns]
    total = len(values[0])
    pearson = pearson_matrix(values)
    spearman, ranked, warnings = _spearman(columns, seed)
    drawn = sample_of(total, KENDALL_ROWS, seed)
    kendall = kendall_pairs([array[drawn] for array in values])
    found = {}
    for (i, j), tau in kendall.items():
        r, rho = float(pearson[i, j]), float(spearman[i, j])
        there = columns[i].present() & columns[j].present()
        # A pair of few rows is tested in other ways; one with few rows in the sample, on rows of its own.
        enough = np.count_nonzero(there[drawn]) >= (LEAST_ROWS if len(drawn) == total else _LEAST_KENDALL_ROWS)
        if tau is None or not enough or not (abs(r) < _PERFECT and abs(rho) < _PERFECT):
            continue
        n = int(np.count_nonzero(there))
        found[columns[i].name, columns[j].name] = Known(n, r, rho, int(ranked[i, j]) or n, tau)
    return found, warnings


def _spearman(columns: Sequence[Column], seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], list[str]]:
    """ρ of each pair, NaN where it cannot be told; the rows it is of, 0 for all; and a remark where rows are sampled.

    Columns that miss the same rows are ranked once. A pair of others has ranks of its own.
    """
    m = len(columns)
    rho, ranked = np.full((m, m), math.nan), np.zeros((m, m), dtype=np.int64)
    alike: dict[bytes, list[int]] = defaultdict(list)
    for j, column in enumerate(columns):
        alike[np.packbits(column.present()).tobytes()].append(j)
    for group in alike.values():
        rows = np.flatnonzero(columns[group[0]].present())
        if len(group) > 1 and len(rows):
            inside = pearson_matrix([doubled_ranks(columns[j].floats()[rows]) for j in group])
            rho[np.ix_(group, group)] = inside
    place = {j: k for k, group in enumerate(alike.values()) for j in group}
    others = [(i, j) for i in range(m) for j in range(i + 1, m) if place[i] != place[j]]
    total = len(columns[0].cells)
    most = max(_LEAST_RANKED_ROWS, _RANKED // max(1, len(others)))
    for i, j in others:
        rows = np.flatnonzero(columns[i].present() & columns[j].present())
        if len(rows) > most:
            rows = rows[sample_of(len(rows), most, seed)]
            ranked[i, j] = len(rows)
        if len(rows):
            pair = pearson_matrix([doubled_ranks(columns[k].floats()[rows]) for k in (i, j)])
            rho[i, j] = pair[0, 1]
    remarks = []
    if others and total > most:
        remarks.append(
            f"Spearman's ρ of columns that miss values in different rows is of at most {most:,} rows drawn by the seed"
        )
    return rho, ranked, remarks
