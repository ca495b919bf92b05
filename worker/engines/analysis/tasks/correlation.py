"""`correlation`: Pearson, Spearman and Kendall between numeric columns, plain and partial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics import exact
from worker.engines.analysis.numerics.all_pairs import pearson_matrix
from worker.engines.analysis.numerics.distributions import Z95, benjamini_hochberg, holm, t_two_sided
from worker.engines.analysis.numerics.glm import fit_glm
from worker.engines.analysis.numerics.kendall import Kendall, kendall
from worker.engines.analysis.numerics.large_sums import deviations, product_sum
from worker.engines.analysis.numerics.many_pairs import SortedColumns, correlation_of, doubled_ranks
from worker.engines.analysis.numerics.permutation import MAX_ENUMERATED, correlation_p, perfect_p, sampled_p
from worker.engines.analysis.numerics.ranks import mid_ranks
from worker.engines.analysis.table import Column, Table, complete_rows
from worker.engines.analysis.tasks.long_correlations import KENDALL_ROWS, LEAST_ROWS, Known, known_pairs
from worker.engines.analysis.tasks.numeric_rows import sample_of
from worker.engines.analysis.tasks.task import Result, Task

Vector = npt.NDArray[np.float64]

MAX_COLUMNS = 30
_LEAST_ROWS = 4
_SMALL_SAMPLE = 10
METHODS = ("pearson", "spearman", "kendall")
# Values summed exactly over all pairs; beyond it doubles with compensated sums.
_EXACT_BUDGET = 150_000
_KENDALL_ROWS = 20_000
"""More are sampled for Kendall's τ: counting pairs is slower than summing."""
_KENDALL_VALUES = 900_000
"""Rows times pairs of columns that are sampled for it; but not fewer rows than the next."""
_LEAST_KENDALL_ROWS = 2_000
_MANY_ROWS = 20_000
"""Longer columns are sorted once for all pairs."""
_MANY_PAIRS = 10
"""From here on pairs are computed together, unless exactly."""
_TIED_ROWS = 30
_TIED_SHARE = 0.5
_MOST_SAMPLED = 45


def run(table: Table, task: Task) -> Result:
    """All pairs of the columns asked for (default: all that measure something), on the rows complete for the pair.

    Intervals are 95 %, by Fisher's z; for Spearman with the variance of Bonett and Wright (2000), for Kendall with
    that of the data; a perfect correlation has none. `p_method` says how p was got: `t` (Student's
    t), `normal`, `exact`, `permutation` (all orders; Spearman up to eight rows, and every perfect correlation up to
    there), `sampled_permutation` (9,999 orders by the seed: Spearman up to 30 rows where half of the values or more are
    tied) or `permutation_bound` (a perfect correlation of more rows: 2/n!, more with ties). `p_adjusted` is Holm's over
    the pairs of each method, `p_adjusted_bh` Benjamini and Hochberg's.
    With `control` each pair has `partial`: Pearson's and Spearman's correlation with those columns held fixed.
    """
    columns, control = _columns(table, task)
    chosen = list(combinations(columns, 2))
    exactly = len(chosen) * table.rows <= _EXACT_BUDGET and all(column.exact for column in columns)
    kendall_rows = min(_KENDALL_ROWS, max(_LEAST_KENDALL_ROWS, _KENDALL_VALUES // len(chosen)))
    once = SortedColumns()
    known: dict[tuple[str, str], Known] = {}
    remarks: list[str] = []
    if not exactly and table.rows >= LEAST_ROWS and len(chosen) >= _MANY_PAIRS:
        kendall_rows = KENDALL_ROWS
        known, remarks = known_pairs(columns, task.seed)
    pairs = [
        _known_pair(x, y, found)
        if (found := known.get((x.name, y.name))) is not None
        else _pair(x, y, task.seed, once, kendall_rows, exactly=exactly, sampled=len(chosen) <= _MOST_SAMPLED)
        for x, y in chosen
    ]
    for (x, y), pair in zip(chosen, pairs, strict=True):
        if control:
            pair["partial"] = _partial(x, y, control)
    for group in (pairs, [pair["partial"] for pair in pairs] if control else []):
        for method in METHODS:
            _adjust([pair[method] for pair in group if method in pair and pair[method]["p"] is not None])
    result: Result = {"columns": [column.name for column in columns], "adjustment": "holm", "pairs": pairs}
    result["arithmetic"] = "exact" if exactly and table.rows <= exact.MAX_VALUES else "double"
    if control:
        result["control"] = [column.name for column in control]
    if table.rows > kendall_rows:
        result["warnings"] = [f"Kendall's τ is of {kendall_rows:,} rows drawn by the seed", *remarks]
    return result


def _columns(table: Table, task: Task) -> tuple[list[Column], list[Column]]:
    columns = task.columns("columns", table, numeric=True)
    control = task.columns("control", table, numeric=True) or []
    if columns is None:
        columns = [column for column in table.measures() if column not in control][:MAX_COLUMNS]
    for field, listed in (("columns", columns), ("control", control)):
        if len(listed) > MAX_COLUMNS:
            raise task.fault(field, f"at most {MAX_COLUMNS} columns")
    if both := [column.name for column in control if column in columns]:
        raise task.fault("control", f"{', '.join(both)} cannot be held fixed and correlated")
    if len(columns) < 2:
        raise NotPossible("A correlation needs two numeric columns with different values.")
    return columns, control


def _adjust(tested: Sequence[Result]) -> None:
    p = [result["p"] for result in tested]
    for result, strict, lenient in zip(tested, holm(p), benjamini_hochberg(p), strict=True):
        result["p_adjusted"] = strict
        result["p_adjusted_bh"] = lenient


def _empty() -> Result:
    keys = ("r", "ci_low", "ci_high", "p", "p_adjusted", "p_adjusted_bh", "p_method")
    return dict.fromkeys(keys)


def _pair(
    x: Column, y: Column, seed: int, once: SortedColumns, kendall_rows: int, *, exactly: bool, sampled: bool
) -> Result:
    rows = complete_rows([x, y])
    n = len(rows)
    pair: Result = {"x": x.name, "y": y.name, "n": n, "warnings": []}
    if n < _LEAST_ROWS:
        pair["warnings"].append(f"only {n} rows have both values; {_LEAST_ROWS} are needed")
        return pair | {method: _empty() for method in METHODS}
    if n < _SMALL_SAMPLE:
        pair["warnings"].append(f"only {n} rows: p and interval of Pearson's r lean on normality")
    a, b = x.floats()[rows], y.floats()[rows]
    if n > _MANY_ROWS and not exactly:
        r = correlation_of(a, b)
        ranks = once.ranks(x.name, x.floats(), rows), once.ranks(y.name, y.floats(), rows)
        rho = correlation_of(*ranks)
    else:
        r = _exact_pearson(x, y, rows.tolist()) if exactly else _float_correlation(a, b)
        ranks = mid_ranks(a), mid_ranks(b)
        rho = _float_correlation(*ranks)
    some = sample_of(n, kendall_rows, seed)
    tau = kendall(a[some], b[some])
    if r is None or rho is None or tau is None:
        pair["warnings"].append("one of the columns is constant in these rows")
        return pair | {method: _empty() for method in METHODS}
    if 1.0 in (abs(r), abs(rho)):
        pair["warnings"].append("a perfect correlation leaves no scatter to estimate an interval from")
    tied = n <= _TIED_ROWS and min(len(np.unique(a)), len(np.unique(b))) <= _TIED_SHARE * n
    spearman = _inference(rho, ranks, 1.0 + rho * rho / 2, exact_p=True)
    if sampled and tied and spearman["p_method"] == "t":
        spearman |= {"p": sampled_p(*ranks, seed=seed), "p_method": "sampled_permutation"}
    return pair | {
        "pearson": _inference(r, (a, b), 1.0, exact_p=False),
        "spearman": spearman,
        "kendall": _kendall(tau),
    }


def spearman(x: Column, y: Column) -> Result:
    """Spearman's ρ alone, as `run` has it for a pair: ``{n, warnings, spearman}``.

    Each of many long columns is ranked once, however many pairs it is in.
    """
    rows = complete_rows([x, y])
    if len(rows) <= _MANY_ROWS:
        table = Table("", (x, y), len(x.cells), "")
        pair: Result = run(table, Task("correlation", {"columns": [x.name, y.name]}, ""))["pairs"][0]
        return pair
    whole = len(rows) == len(x.cells)
    ranks = [c.doubled_ranks() if whole else doubled_ranks(c.floats()[rows]) for c in (x, y)]
    rho = float(pearson_matrix(ranks)[0, 1])
    if math.isnan(rho):
        return {"n": len(rows), "warnings": ["one of the columns is constant in these rows"], "spearman": _empty()}
    perfect = ["a perfect correlation leaves no scatter to estimate an interval from"] if abs(rho) >= 1.0 else []
    found = _inference(rho, (ranks[0] / 2, ranks[1] / 2), 1.0 + rho * rho / 2, exact_p=True)
    return {"n": len(rows), "warnings": perfect, "spearman": found}


def _known_pair(x: Column, y: Column, known: Known) -> Result:
    tau = known.kendall
    return {
        "x": x.name,
        "y": y.name,
        "n": known.n,
        "warnings": [],
        "pearson": _by_t(known.pearson, known.n, 1.0),
        "spearman": _by_t(known.spearman, known.ranked, 1.0 + known.spearman**2 / 2),
        "kendall": _kendall(tau),
    }


def _kendall(tau: Kendall) -> Result:
    return _empty() | {
        "r": tau.tau, "ci_low": tau.ci_low, "ci_high": tau.ci_high, "p": tau.p, "p_method": tau.method,
    }  # fmt: skip


def _partial(x: Column, y: Column, control: Sequence[Column]) -> Result:
    """Pearson's and Spearman's correlation of what the columns held fixed leave of both."""
    rows = complete_rows([x, y, *control])
    n, k = len(rows), len(control)
    partial: Result = {"n": n, "pearson": _empty(), "spearman": _empty()}
    if n < _LEAST_ROWS + k:
        return partial
    for method in ("pearson", "spearman"):
        values = [column.floats()[rows] for column in (x, y, *control)]
        if method == "spearman":
            values = [mid_ranks(array) for array in values]
        centred = [array - array.mean() for array in values]
        held = np.column_stack([np.ones(n), *centred[2:]])
        left = []
        for array in centred[:2]:
            size = float(np.linalg.norm(array))
            fit = fit_glm(held, array / size, "gaussian") if size > 0 else None
            # What is left of a column that the others determine is rounding.
            if fit is None or fit.deviance < 1e-20:
                break
            left.append(array / size - fit.fitted)
        r = _float_correlation(*left) if len(left) == 2 else None
        if r is None or abs(r) >= 1:
            continue
        df = n - 2 - k
        factor = 1.0 if method == "pearson" else 1.0 + r * r / 2
        half = Z95 * math.sqrt(factor / (n - 3 - k))
        partial[method] |= {
            "r": r,
            "ci_low": math.tanh(math.atanh(r) - half),
            "ci_high": math.tanh(math.atanh(r) + half),
            "p": t_two_sided(r * math.sqrt(df / ((1 - r) * (1 + r))), df),
            "p_method": "t",
        }
    return partial


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
    return _float_correlation(np.array([float(v) for v in x]), np.array([float(v) for v in y]))


def _exact_pearson(x: Column, y: Column, rows: Sequence[int]) -> float | None:
    return pearson([str(x.cells[i]) for i in rows], [str(y.cells[i]) for i in rows])


def _float_correlation(x: Vector, y: Vector) -> float | None:
    if float(np.ptp(x)) <= 0 or float(np.ptp(y)) <= 0:
        return None
    _, a = deviations(_sized(x))
    _, b = deviations(_sized(y))
    sxx, syy = product_sum(a, a), product_sum(b, b)
    if sxx <= 0 or syy <= 0:
        return None
    return max(-1.0, min(1.0, product_sum(a, b) / math.sqrt(sxx) / math.sqrt(syy)))


def _sized(values: Vector) -> Vector:
    """Brought below 1 by a power of two: a division that rounded would cost digits that large values differ in."""
    return np.ldexp(values, -int(np.frexp(np.max(np.abs(values)))[1]))


def _inference(r: float, values: tuple[Vector, Vector], variance_factor: float, *, exact_p: bool) -> Result:
    n = len(values[0])
    few, perfect = n <= MAX_ENUMERATED, abs(r) >= 1.0
    # Fisher's z of a perfect correlation is infinite: no interval can be estimated from data without scatter.
    found = _empty() | {"r": r} if perfect else _by_t(r, n, variance_factor)
    if few and (exact_p or perfect):
        found |= {"p": correlation_p(values[0].tolist(), values[1].tolist()), "p_method": "permutation"}
    elif perfect:
        found |= {"p": perfect_p(values[0].tolist()), "p_method": "permutation_bound"}
    return found


def _by_t(r: float, n: int, variance_factor: float) -> Result:
    """Of a correlation that is not perfect."""
    half = Z95 * math.sqrt(variance_factor / (n - 3))
    return _empty() | {
        "r": r,
        "ci_low": math.tanh(math.atanh(r) - half),
        "ci_high": math.tanh(math.atanh(r) + half),
        "p": t_two_sided(r * math.sqrt((n - 2) / ((1 - r) * (1 + r))), n - 2),
        "p_method": "t",
    }
