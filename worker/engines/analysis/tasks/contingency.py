"""`contingency`: whether two categories go together."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import Z95, chi2_upper, noncentral_chi2_interval
from worker.engines.analysis.numerics.tables import (
    adjusted_residuals,
    cochran_armitage,
    corrected_v,
    goodman_kruskal,
    order_of,
    risk_difference,
    risk_ratio,
    sampled_fisher,
)
from worker.engines.analysis.table import Column, Table, complete_rows
from worker.engines.analysis.tasks.task import Result, Task

Vector = npt.NDArray[np.float64]

MAX_LEVELS = 50
_LEAST_EXPECTED = 5.0


def run(table: Table, task: Task) -> Result:
    """Counts, Pearson's chi-square, Cramér's V; for 2 × 2 also Fisher's exact test and the odds ratio.

    V's 95 % interval inverts the noncentral chi-square distribution. The odds ratio adds a half to every count when one
    is zero (Haldane and Anscombe); its interval is the normal one of its logarithm (Woolf). `preferred` is `fisher`
    where a cell expects fewer than five; `fisher_method` is `exact` for 2 × 2 and `sampled` for larger tables, whose p
    is over 9,999 random tables with the same margins, drawn by the seed. `residuals` are adjusted (beyond ±2 a cell
    stands out). A 2 × 2 table has the ratio and the difference of the shares of its first column. Where levels are in
    order (numbers, or words of a usual scale) `gamma` is Goodman and Kruskal's, and `trend` is Cochran and Armitage's
    where the other column has two levels.
    """
    row, column = task.column("row", table), task.column("column", table)
    if row.name == column.name:
        raise task.fault("column", "must be another column than row")
    used = complete_rows([row, column])
    places = []
    kept: list[list[str]] = []
    for each in (row, column):
        codes, every = each.codes()
        present, place = np.unique(codes[used], return_inverse=True)
        places.append(place)
        kept.append([every[k] for k in present.tolist()])
    rows, columns = kept
    for field, levels in (("row", rows), ("column", columns)):
        if len(levels) > MAX_LEVELS:
            raise task.fault(field, f"{len(levels)} levels, at most {MAX_LEVELS}")
        if len(levels) < 2:
            raise NotPossible(f"Fewer than two levels of {task.text(field)} occur in rows that have both values.")
    counts = np.bincount(places[0] * len(columns) + places[1], minlength=len(rows) * len(columns))
    observed: list[list[int]] = counts.reshape(len(rows), len(columns)).tolist()
    result = _test(observed, len(used), task.seed)
    result |= _ordered(row, column, rows, columns, np.array(observed, dtype=np.float64))
    warnings = list(result.pop("warnings"))
    if len(used) < table.rows:
        warnings.append(f"{table.rows - len(used)} of {table.rows} rows are left out: a value is missing")
    return {
        "row": row.name,
        "column": column.name,
        "n": len(used),
        "row_levels": rows,
        "column_levels": columns,
        "counts": observed,
        **result,
        "warnings": warnings,
    }


def _test(observed: list[list[int]], n: int, seed: int) -> Result:
    row_sums = [sum(row) for row in observed]
    column_sums = [sum(column) for column in zip(*observed, strict=True)]
    expected = [[a * b / n for b in column_sums] for a in row_sums]
    chi2 = math.fsum(
        (o - e) ** 2 / e
        for seen, wanted in zip(observed, expected, strict=True)
        for o, e in zip(seen, wanted, strict=True)
    )
    df = (len(row_sums) - 1) * (len(column_sums) - 1)
    smaller = min(len(row_sums), len(column_sums)) - 1
    low, high = noncentral_chi2_interval(chi2, df)
    least = min(min(row) for row in expected)
    two_by_two = len(row_sums) == len(column_sums) == 2
    result: Result = {
        "chi2": chi2,
        "df": df,
        "p": chi2_upper(chi2, df),
        "least_expected": least,
        "cramers_v": math.sqrt(chi2 / (n * smaller)),
        "cramers_v_ci_low": math.sqrt(low / (n * smaller)),
        "cramers_v_ci_high": min(1.0, math.sqrt(high / (n * smaller))),
        "cramers_v_corrected": corrected_v(chi2, n, len(row_sums), len(column_sums)),
        "residuals": adjusted_residuals(np.array(observed, dtype=np.float64)).tolist(),
        "preferred": "fisher" if least < _LEAST_EXPECTED else "chi2",
        "fisher_p": None,
        "fisher_method": None,
        "odds_ratio": None,
        "odds_ratio_ci_low": None,
        "odds_ratio_ci_high": None,
        "risk_ratio": None,
        "risk_difference": None,
        "warnings": [],
    }
    if least < _LEAST_EXPECTED:
        cure = "read Fisher's exact p" if two_by_two else "read Fisher's p, or join levels"
        result["warnings"].append(f"the chi-square test expects as few as {least:.1f} in a cell: {cure}")
    if two_by_two:
        result |= _odds(observed)
        result["fisher_p"] = float(load("scipy.stats").fisher_exact(observed).pvalue)
        result["fisher_method"] = "exact"
        result["risk_ratio"] = asdict(risk_ratio(observed))
        result["risk_difference"] = asdict(risk_difference(observed))
    elif least < _LEAST_EXPECTED:
        result["fisher_p"], result["fisher_tables"] = sampled_fisher(np.array(observed), seed=seed)
        result["fisher_method"] = "sampled"
    return result


def _ordered(row: Column, column: Column, rows: list[str], columns: list[str], observed: Vector) -> Result:
    """Gamma where both are in order (two levels always are), a trend where one is and the other has two levels."""
    along, across = (order_of(levels, numeric=each.numeric) for each, levels in ((row, rows), (column, columns)))
    found: Result = {"gamma": None, "trend": None}
    two = [len(levels) == 2 for levels in (rows, columns)]
    if all(two) or (along is None and across is None):
        return found
    if (along is not None or two[0]) and (across is not None or two[1]):
        first = list(range(len(rows))) if along is None else along[0]
        second = list(range(len(columns))) if across is None else across[0]
        gamma = goodman_kruskal(observed[np.ix_(first, second)])
        found["gamma"] = None if gamma is None else asdict(gamma)
    counts, order, shown = (observed, along, columns) if two[1] else (observed.T, across, rows)
    if any(two) and order is not None and len(order[0]) > 2:
        trend = cochran_armitage(counts[order[0]], np.array(order[1]))
        if trend is not None:
            found["trend"] = asdict(trend) | {"test": "cochran_armitage", "of": shown[1]}
    return found


def _odds(observed: list[list[int]]) -> Result:
    half = 0.5 if any(0 in row for row in observed) else 0.0
    (a, b), (c, d) = ([count + half for count in row] for row in observed)
    ratio = a * d / (b * c)
    reach = Z95 * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return {
        "odds_ratio": ratio,
        "odds_ratio_ci_low": ratio * math.exp(-reach),
        "odds_ratio_ci_high": ratio * math.exp(reach),
    }
