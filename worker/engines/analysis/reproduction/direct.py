"""Direct questions in plain numpy: one figure, one for each group, a mean against a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.analysis.reproduction.code import check, check_p, literal
from worker.engines.analysis.reproduction.where import conditions, shown

Result = dict[str, Any]
Types = Mapping[str, str]

_VALUES = {
    "mean": "math.fsum(values) / len(values)",
    "median": "np.median(values)",
    "sum": "math.fsum(values)",
    "min": "values.min()",
    "max": "values.max()",
    "sd": "values.std(ddof=1) if len(values) > 1 else 0.0",
}
_NEAR = "1e-9 * np.abs(values).max()"


def aggregate(result: Result, types: Types) -> list[str] | None:
    """None where the levels are dates."""
    levels = [(result["by"], group["level"]) for group in result["groups"]]
    levels += [] if result["level"] is None else [(result["column"], result["level"])]
    if any(types.get(column) == "date" for column, _ in levels):
        return None
    lines = conditions(result["request"].get("where") or [], types)
    lines += _figures("all", "pd.Series(True, index=data.index)", result, result, types)
    for group in result["groups"]:
        rows = f"data[{literal(result['by'])}].isin({shown([group['level']], result['by'], types)})"
        lines += _figures(group["level"], rows, group, result, types)
    return lines


def _figures(label: str, rows: str, here: Result, result: Result, types: Types) -> list[str]:
    """The statistic of `rows`, as `here` has it."""
    statistic, column = result["statistic"], result["column"]
    # A share of no column is of all rows: the conditions say what is counted, not what it is counted among.
    among = rows if statistic == "share" and column is None else f"({rows}) & kept"
    lines = [f"used = {among}"]
    if statistic == "missing":
        lines.append(check(f"{label}: n", "used.sum()", here["n"]))
        return [*lines, check(f"{label}: missing", f"data.loc[used, {literal(column)}].isna().sum()", here["value"])]
    if column is not None:
        lines.append(f"used &= data[{literal(column)}].notna()")
    lines.append(check(f"{label}: n", "used.sum()", here["n"]))
    if statistic in _VALUES:
        lines += [
            f"values = data.loc[used, {literal(column)}].to_numpy()",
            check(f"{label}: {statistic}", _VALUES[statistic], here["value"], scale=_NEAR),
        ]
        if here["ci_low"] is not None:
            lines += _interval(label, here)
        return lines
    if statistic == "distinct":
        return [*lines, check(f"{label}: distinct", f"data.loc[used, {literal(column)}].nunique()", here["value"])]
    hits = "(used & kept)"
    if result["level"] is not None:
        hits = f"(used & kept & data[{literal(column)}].isin({shown([result['level']], column, types)}))"
    if statistic == "count":
        return [*lines, check(f"{label}: count", f"{hits}.sum()", here["value"])]
    return [
        *lines,
        f"found = stats.binomtest(int({hits}.sum()), int(used.sum())).proportion_ci(0.95, method='wilson')",
        check(f"{label}: share", f"{hits}.sum() / used.sum()", here["value"]),
        check(f"{label}: 95 % interval, low", "found.low", here["ci_low"], scale="1e-6"),
        check(f"{label}: 95 % interval, high", "found.high", here["ci_high"], scale="1e-6"),
    ]


def _interval(label: str, here: Result) -> list[str]:
    return [
        "low, high = stats.t.interval(0.95, len(values) - 1, math.fsum(values) / len(values), stats.sem(values))",
        check(f"{label}: 95 % interval, low", "low", here["ci_low"], scale=_NEAR),
        check(f"{label}: 95 % interval, high", "high", here["ci_high"], scale=_NEAR),
    ]


def one_sample(result: Result, _: Types) -> list[str]:
    return [
        f"values = data[{literal(result['column'])}].dropna().to_numpy()",
        f"found = stats.ttest_1samp(values, {literal(result['value'])})",
        check("n", "len(values)", result["n"]),
        check("mean", "math.fsum(values) / len(values)", result["mean"], scale=_NEAR),
        *_interval("mean", result),
        check("t", "found.statistic", result["t"], scale="1e-6"),
        check_p("p", "found.pvalue", result["p"]),
        check("Cohen's d", "found.statistic / math.sqrt(len(values))", result["cohens_d"], scale="1e-6"),
    ]
