"""Results as tables for reading: the numbers are rounded here, and only here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from worker.engines.analysis import tables_direct, tables_models, tables_multivariate

Result = dict[str, Any]
Rows = tuple[str, list[str], list[list[Any]]]
"""Title, column headings, rows."""

_LEVELS = 20
_TESTS = {
    "fisher": "Fisher’s exact test",
    "hamed_rao": "Mann–Kendall after Hamed and Rao",
    "kruskal_wallis": "Kruskal–Wallis",
    "mann_kendall": "Mann–Kendall",
    "mann_whitney": "Mann–Whitney",
    "pearson": "Pearson",
    "seasonal_mann_kendall": "seasonal Mann–Kendall",
    "spearman": "Spearman",
    "welch": "Welch",
}
"""Tests as their readers know them."""


def rounded(value: Any, digits: int = 6) -> Any:
    """A float with so many significant digits; everything else as it is."""
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def _describe(result: Result) -> Rows:
    keys = ("n", "missing", "mean", "sd", "min", "q1", "median", "q3", "max")
    rows = [[c["name"], *(c.get(key) for key in keys)] for c in result["columns"] if "mean" in c]
    return "Descriptive statistics", ["column", *keys], rows


def _profile(result: Result) -> Rows:
    rows = [[c["name"], c["type"], c["missing"], c["distinct"], ", ".join(c["remarks"])] for c in result["columns"]]
    return "Columns", ["column", "type", "missing", "distinct", "remarks"], rows


def _curve_fit(result: Result) -> Rows:
    keys = ("estimate", "std_error", "ci_low", "ci_high")
    rows = [[parameter["name"], *(parameter[key] for key in keys)] for parameter in result["parameters"]]
    return f"Curve {result['formula']}", ["parameter", "estimate", "std. error", "95 % low", "95 % high"], rows


def _groups(result: Result) -> Rows:
    keys = ("n", "mean", "ci_low", "ci_high", "sd", "median")
    rows = [[group["level"], *(group[key] for key in keys)] for group in result["groups"]]
    title = f"{result['response']} by {result['group']}"
    return title, [result["group"], "n", "mean", "95 % low", "95 % high", "sd", "median"], rows


def _anova(result: Result) -> Rows:
    within = [
        result["group"],
        result["df_between"],
        result["ss_between"],
        result["ms_between"],
        result["f"],
        result["p"],
    ]
    rows = [within, ["residual", result["df_within"], result["ss_within"], result["ms_within"], None, None]]
    return (
        f"Analysis of variance of {result['response']}",
        ["source", "df", "sum of squares", "mean square", "F", "p"],
        rows,
    )


def _contingency(result: Result) -> Rows:
    levels = result["column_levels"][:_LEVELS]
    pairs = zip(result["row_levels"][:_LEVELS], result["counts"], strict=False)
    rows = [[level, *counts[: len(levels)]] for level, counts in pairs]
    title = f"Counts of {result['column']} within {result['row']}"
    cut = [
        f"{_LEVELS} of {len(found)} levels of {result[side]}"
        for side, found in (("row", result["row_levels"]), ("column", result["column_levels"]))
        if len(found) > _LEVELS
    ]
    return f"{title}: {' and '.join(cut)}" if cut else title, [result["row"], *levels], rows


def _hypotheses(result: Result) -> Rows:
    rows = []
    for item in result["hypotheses"]:
        effect = item["effect"] or {"name": None, "value": None, "ci_low": None, "ci_high": None}
        verdict = {True: "supported", False: "not shown", None: "cannot be answered"}[item["supported"]]
        figures = [effect["name"], effect["value"], effect["ci_low"], effect["ci_high"], item["p"], item["p_adjusted"]]
        test = item["test"] and _TESTS.get(item["test"], str(item["test"]).replace("_", " "))
        rows.append([item["statement"], test, item["n"], *figures, verdict])
    adjusted = {"holm": "p (Holm)", "bh": "p (Benjamini–Hochberg)"}.get(result["adjustment"], "p (unadjusted)")
    headings = ["hypothesis", "test", "n", "effect", "size", "95 % low", "95 % high", "p", adjusted, "verdict"]
    return "Hypotheses", headings, rows


_MAKERS: Mapping[str, Callable[[Result], Rows]] = {
    "profile": _profile,
    "describe": _describe,
    "correlation": tables_models.correlation,
    "distribution": tables_models.distribution,
    "outliers": tables_models.outliers,
    "regression": tables_models.regression,
    "curve_fit": _curve_fit,
    "compare_groups": _groups,
    "anova": _anova,
    "contingency": _contingency,
    "trend": tables_models.trend,
    "hypotheses": _hypotheses,
    "aggregate": tables_direct.aggregate,
    "one_sample": tables_direct.one_sample,
    "cluster": tables_multivariate.cluster,
    "pca": tables_multivariate.pca,
    "anomalies": tables_multivariate.anomalies,
    "compare_models": tables_multivariate.compare_models,
}


def table_of(kind: str, result: Result) -> Result | None:
    """``{title, columns, rows}`` for a task's result, or None where there is nothing to list."""
    maker = _MAKERS.get(kind)
    if maker is None:
        return None
    title, columns, rows = maker(result)
    cells: Sequence[Sequence[Any]] = [[rounded(cell) for cell in row] for row in rows]
    return {"title": title, "columns": columns, "rows": [list(row) for row in cells]} if rows else None
