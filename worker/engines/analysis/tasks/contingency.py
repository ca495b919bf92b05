"""`contingency`: whether two categories go together."""

from __future__ import annotations

import math
from collections import Counter

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.lazy import load
from worker.engines.analysis.numerics.distributions import Z95, chi2_upper, noncentral_chi2_interval
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.tasks.task import Result, Task

MAX_LEVELS = 50
_LEAST_EXPECTED = 5.0


def run(table: Table, task: Task) -> Result:
    """Counts, Pearson's chi-square, Cramér's V; for 2 × 2 also Fisher's exact test and the odds ratio.

    V's 95 % interval inverts the noncentral chi-square distribution. The odds ratio adds a half to every count
    when one is zero (Haldane and Anscombe); its interval is the normal one of its logarithm (Woolf).
    `preferred` is `fisher` where a 2 × 2 table expects fewer than five in a cell.
    """
    row, column = task.column("row", table), task.column("column", table)
    if row.name == column.name:
        raise task.fault("column", "must be another column than row")
    used = complete_rows([row, column])
    counts = Counter((str(row.cells[i]), str(column.cells[i])) for i in used)
    present_rows, present_columns = {a for a, _ in counts}, {b for _, b in counts}
    rows = [level for level in row.levels() if level in present_rows]
    columns = [level for level in column.levels() if level in present_columns]
    for field, levels in (("row", rows), ("column", columns)):
        if len(levels) > MAX_LEVELS:
            raise task.fault(field, f"{len(levels)} levels, at most {MAX_LEVELS}")
        if len(levels) < 2:
            raise NotPossible(f"Fewer than two levels of {task.text(field)} occur in rows that have both values.")
    observed = [[counts[a, b] for b in columns] for a in rows]
    result = _test(observed, len(used))
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


def _test(observed: list[list[int]], n: int) -> Result:
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
        "preferred": "fisher" if two_by_two and least < _LEAST_EXPECTED else "chi2",
        "fisher_p": None,
        "odds_ratio": None,
        "odds_ratio_ci_low": None,
        "odds_ratio_ci_high": None,
        "warnings": [],
    }
    if least < _LEAST_EXPECTED:
        cure = "read Fisher's exact p" if two_by_two else "its p is approximate; consider joining levels"
        result["warnings"].append(f"the chi-square test expects as few as {least:.1f} in a cell: {cure}")
    if two_by_two:
        result |= _odds(observed)
        result["fisher_p"] = float(load("scipy.stats").fisher_exact(observed).pvalue)
    return result


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
