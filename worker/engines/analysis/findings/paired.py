"""Findings on differences within subjects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft, confidence, doubts_of
from worker.engines.analysis.wording import interval, listed, number, p_value

Result = dict[str, Any]


def from_paired(result: Result, rows: int) -> Iterator[Draft]:
    """All levels together where there are three or more, then each pair by the preferred test."""
    response, group, subjects = result["response"], result["group"], result["subjects"]
    used, doubts = min(1.0, result["n"] / rows), doubts_of(result)
    about = (response, group)
    if (whole := _whole(result)) is not None:
        text, p, effect, numbers = whole
        sure = confidence(p, subjects, used, doubts)
        yield Draft(text, numbers, effect, sure, about, "compare_groups", p < SIGNIFICANT, whole=True)
    means = {entry["level"]: entry["mean"] for entry in result["groups"]}
    for pair in result["pairs"]:
        test = pair[result["preferred"]]
        if test is None:
            continue
        p = test["p_adjusted"]
        found = p < SIGNIFICANT
        by_ranks = result["preferred"] == "wilcoxon"
        difference = test["median"] if by_ranks else test["difference"]
        first, second = (f"{pair[side]} ({number(means[pair[side]])})" for side in ("a", "b"))
        what = f"{response} at {group} {first} and {second}"
        lead = (
            f"Within the same {result['pair']}, {what} differ"
            if found
            else f"No clear difference within {result['pair']} between {what} was found"
        )
        name = "Wilcoxon's signed ranks" if by_ranks else f"paired t({number(test['df'], 3)}) = {number(test['t'], 3)}"
        size = (
            f"rank-biserial r = {number(test['rank_biserial'], 3)}"
            if by_ranks
            else f"Hedges' g = {number(test['hedges_g'], 3)}"
        )
        kind = "median" if by_ranks else "mean"
        text = (
            f"{lead}: {kind} difference {number(difference)}, {interval(test['ci_low'], test['ci_high'])}, {size}, "
            f"{name}, Holm-adjusted {p_value(p)}, {subjects} subjects."
        )
        g = 0.0 if by_ranks else abs(test["hedges_g"])
        effect = abs(test["rank_biserial"]) if by_ranks else g / (g * g + 4) ** 0.5
        numbers = {"test": result["preferred"], "a": pair["a"], "b": pair["b"], **test}
        yield Draft(text, numbers, effect, confidence(p, subjects, used, doubts), about, "compare_groups", found)


def _whole(result: Result) -> tuple[str, float, float, Result] | None:
    tests = result["overall"] or {}
    means, ranks = tests.get("repeated_measures"), tests.get("friedman")
    if result["preferred"] == "wilcoxon" and ranks is not None:
        p, effect, name = ranks["p"], ranks["w"], "Kendall's W"
        test = f"Friedman χ²({ranks['df']}) = {number(ranks['chi2'], 3)}"
    elif means is not None:
        p, effect, name = means["p"], means["partial_eta_squared"], "partial η²"
        test = f"repeated measures F({number(means['df1'], 3)}, {number(means['df2'], 3)}) = {number(means['f'], 3)}"
    else:
        return None
    levels = [entry["level"] for entry in result["groups"]]
    lead = "differs between" if p < SIGNIFICANT else "shows no clear difference between"
    text = (
        f"Within the same {result['pair']}, {result['response']} {lead} the {len(levels)} levels of {result['group']} "
        f"({listed(levels, 10)}): {test}, {p_value(p)}, {name} = {number(effect, 3)}, {result['subjects']} subjects."
    )
    numbers = {"test": test.split(" ")[0], "p": p, "effect": name, "effect_size": effect, "n": result["subjects"]}
    return text, p, effect**0.5, numbers
