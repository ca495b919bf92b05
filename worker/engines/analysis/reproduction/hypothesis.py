"""Hypotheses: the tests that scipy has too, and the adjustment over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.analysis.reproduction.code import check, literal

Result = dict[str, Any]
Types = Mapping[str, str]

_GROUPED = {
    "welch": "stats.ttest_ind(*groups, equal_var=False).pvalue",
    "kruskal_wallis": "stats.kruskal(*groups).pvalue",
    "anova": "stats.f_oneway(*groups).pvalue",
}
_NEAR_ZERO = "1e-12"
_SAMPLED, _EXACT, _THINNED = 30, 10, 3_000
"""Rows up to which ranks with ties are permuted, S is counted out, and from which series are thinned."""


def hypotheses(result: Result, _: Types) -> list[str]:
    lines: list[str] = []
    holdout = result.get("holdout") or {}
    for item in result["hypotheses"]:
        if item["p"] is None:
            continue
        source = None if holdout.get("used") else _source(item)
        if source is None:
            why = "half of the rows was drawn for it" if holdout.get("used") else f"its test is {item['test']}"
            lines.append(f"left_out({literal(item['statement'])}, {literal(why)})")
            continue
        compared = check(item["statement"] + ": p", source[-1], item["p"], scale=_NEAR_ZERO)
        if item["kind"] == "difference":
            # Without scatter in a group the platform counts orders, which scipy's tests do not.
            spare = f"left_out({literal(item['statement'])}, 'a group does not vary')"
            compared = f"if all(np.ptp(g) > 0 for g in groups):\n    {compared}\nelse:\n    {spare}"
        lines += [*source[:-1], compared]
    known = [item for item in result["hypotheses"] if item["p"] is not None]
    if result["adjustment"] == "holm" and known:
        lines.append(f"adjusted = holm({literal([item['p'] for item in known])})  # of the platform's p-values")
        lines += [
            check(f"{item['statement']}: adjusted p", f"adjusted[{i}]", item["p_adjusted"], scale=_NEAR_ZERO)
            for i, item in enumerate(known)
        ]
    return lines


def _source(item: Result) -> list[str] | None:
    """Lines of which the last is an expression for p; None where scipy has no such test."""
    kind, test = item["kind"], item["test"]
    # One-sided hypotheses and those about another value than none have forms of their own.
    if not set(item) & {"x", "response", "row"} or {"direction", "value", "margin", "control", "at_least"} & set(item):
        return None
    if kind == "correlation" and test == "spearman" and item["n"] > _SAMPLED:
        pair = f"d = data[[{literal(item['x'])}, {literal(item['y'])}]].dropna()"
        return [pair, "stats.spearmanr(d.iloc[:, 0], d.iloc[:, 1]).pvalue"]
    if kind == "trend" and test == "mann_kendall" and _EXACT < item["n"] <= _THINNED:
        pair = f"d = data[[{literal(item['time'])}, {literal(item['response'])}]].dropna()"
        return [pair, "mann_kendall(d.iloc[:, 0].to_numpy(), d.iloc[:, 1].to_numpy())['p']"]
    if kind == "difference" and test in _GROUPED:
        response, group = literal(item["response"]), literal(item["group"])
        lines = [
            f"d = data[[{response}, {group}]].dropna()",
            f"groups = [g.to_numpy() for _, g in d.groupby({group})[{response}]]",
        ]
        if test == "welch":
            return [*lines, f"{_GROUPED[test]} if len(groups) == 2 else welch_anova(groups)"]
        return [*lines, _GROUPED[test]]
    if kind == "association" and test == "chi2":
        row, column = literal(item["row"]), literal(item["column"])
        return [
            f"d = data[[{row}, {column}]].dropna()",
            f"stats.chi2_contingency(pd.crosstab(d[{row}], d[{column}]), correction=False).pvalue",
        ]
    return None
