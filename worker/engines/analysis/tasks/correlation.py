"""`correlation`: Pearson and Spearman between numeric columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

import numpy as np

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics import exact
from worker.engines.analysis.numerics.distributions import Z95, holm, t_two_sided
from worker.engines.analysis.numerics.permutation import MAX_ENUMERATED, correlation_p, perfect_p
from worker.engines.analysis.numerics.ranks import mid_ranks
from worker.engines.analysis.table import Column, Table, complete_rows
from worker.engines.analysis.tasks.task import Result, Task

MAX_COLUMNS = 30
_LEAST_ROWS = 4
_SMALL_SAMPLE = 10
# Values summed exactly over all pairs; beyond it doubles with compensated sums.
_EXACT_BUDGET = 500_000


def run(table: Table, task: Task) -> Result:
    """All pairs of the columns asked for (default: all that measure something), on the rows complete for the pair.

    Intervals are 95 %, by Fisher's z; for Spearman with the variance of Bonett and Wright (2000); a perfect
    correlation has none. `p_method` says how p was got: `t` (Student's t), `permutation` (all orders; Spearman up to
    eight rows, and every perfect correlation up to there) or `permutation_bound` (a perfect correlation of more rows:
    2/n!, more with ties). `p_adjusted` is Holm's over the pairs of each method.
    """
    columns = task.columns("columns", table, numeric=True)
    if columns is None:
        columns = table.measures()[:MAX_COLUMNS]
    if len(columns) > MAX_COLUMNS:
        raise task.fault("columns", f"at most {MAX_COLUMNS} columns")
    if len(columns) < 2:
        raise NotPossible("A correlation needs two numeric columns with different values.")
    chosen = list(combinations(columns, 2))
    exactly = len(chosen) * table.rows <= _EXACT_BUDGET
    pairs = [_pair(x, y, exactly=exactly) for x, y in chosen]
    for method in ("pearson", "spearman"):
        tested = [pair[method] for pair in pairs if pair[method]["p"] is not None]
        for result, adjusted in zip(tested, holm([result["p"] for result in tested]), strict=True):
            result["p_adjusted"] = adjusted
    return {"columns": [column.name for column in columns], "adjustment": "holm", "pairs": pairs}


def _pair(x: Column, y: Column, *, exactly: bool) -> Result:
    rows = complete_rows([x, y])
    n = len(rows)
    pair: Result = {"x": x.name, "y": y.name, "n": n, "warnings": []}
    empty = {"r": None, "ci_low": None, "ci_high": None, "p": None, "p_adjusted": None, "p_method": None}
    if n < _LEAST_ROWS:
        pair["warnings"].append(f"only {n} rows have both values; {_LEAST_ROWS} are needed")
        return pair | {"pearson": dict(empty), "spearman": dict(empty)}
    if n < _SMALL_SAMPLE:
        pair["warnings"].append(f"only {n} rows: p and interval of Pearson's r lean on normality")
    a = [str(x.cells[i]) for i in rows]
    b = [str(y.cells[i]) for i in rows]
    r = pearson(a, b, exactly=exactly)
    values = ([float(v) for v in a], [float(v) for v in b])
    ranks = (mid_ranks(values[0]).tolist(), mid_ranks(values[1]).tolist())
    rho = _float_correlation(*ranks)
    if r is None or rho is None:
        pair["warnings"].append("one of the columns is constant in these rows")
        return pair | {"pearson": dict(empty), "spearman": dict(empty)}
    if 1.0 in (abs(r), abs(rho)):
        pair["warnings"].append("a perfect correlation leaves no scatter to estimate an interval from")
    return pair | {
        "pearson": _inference(r, values, 1.0, exact_p=False),
        "spearman": _inference(rho, ranks, 1.0 + rho * rho / 2, exact_p=True),
    }


def pearson(x: Sequence[str], y: Sequence[str], *, exactly: bool = True) -> float | None:
    """Pearson's r of number cells, exact up to its last rounding where the data is small; None if constant."""
    if exactly and len(x) <= exact.MAX_VALUES:
        try:
            sxx, sxy, syy = exact.cross_products([Decimal(v) for v in x], [Decimal(v) for v in y])
        except exact.TooWide:
            pass
        else:
            if not sxx or not syy:
                return None
            return math.copysign(min(1.0, exact.root(sxy * sxy / (sxx * syy))), sxy)
    return _float_correlation([float(v) for v in x], [float(v) for v in y])


def _float_correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    a, b = a - math.fsum(a.tolist()) / len(a), b - math.fsum(b.tolist()) / len(b)
    sxx, syy = math.fsum((a * a).tolist()), math.fsum((b * b).tolist())
    if not sxx or not syy:
        return None
    return max(-1.0, min(1.0, math.fsum((a * b).tolist()) / math.sqrt(sxx) / math.sqrt(syy)))


def _inference(r: float, values: tuple[list[float], list[float]], variance_factor: float, *, exact_p: bool) -> Result:
    n = len(values[0])
    few, perfect = n <= MAX_ENUMERATED, abs(r) >= 1.0
    if few and (exact_p or perfect):
        p, method = correlation_p(*values), "permutation"
    elif perfect:
        p, method = perfect_p(values[0]), "permutation_bound"
    else:
        p, method = t_two_sided(r * math.sqrt((n - 2) / ((1 - r) * (1 + r))), n - 2), "t"
    # Fisher's z of a perfect correlation is infinite: no interval can be estimated from data without scatter.
    half = Z95 * math.sqrt(variance_factor / (n - 3))
    low, high = (None, None) if perfect else (math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))
    return {"r": r, "ci_low": low, "ci_high": high, "p": p, "p_adjusted": None, "p_method": method}
