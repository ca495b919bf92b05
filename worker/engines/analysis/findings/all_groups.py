"""The finding on all groups of a comparison together: whether they differ, by how much, and which ones."""

from __future__ import annotations

from typing import Any

from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft, confidence, doubts_of
from worker.engines.analysis.wording import listed, number, p_value, plural

Result = dict[str, Any]


def overall(result: Result, rows: int) -> Draft | None:
    """Whether a response differs between three groups or more, by Welch's analysis of variance or, where the
    comparison prefers ranks, by Kruskal–Wallis, and which pairs do; None for two groups or where neither is defined."""
    found = _test(result)
    if found is None:
        return None
    p, test, share, name = found
    response, group, n = result["response"], result["group"], result["n"]
    levels = [entry["level"] for entry in result["groups"]]
    differs = p < SIGNIFICANT
    lead = f"{response} differs between" if differs else f"No clear difference of {response} was found between"
    size = f"{group} accounts for {number(100 * share, 3)} % of the variance ({name})"
    text = f"{lead} the {len(levels)} levels of {group} ({listed(levels, 10)}): {test}, {p_value(p)}; {size}, n = {n}."
    if differs:
        text += f" {_which(result)} Groups that were not assigned at random may differ for other reasons."
    numbers = {"test": test.split(" ")[0], "p": p, "effect": name, "effect_size": share, "n": n}
    sure = confidence(p, n, n / rows, doubts_of(result))
    return Draft(text, numbers, share**0.5, sure, (response, group), "compare_groups", differs, whole=True)


def _test(result: Result) -> tuple[float, str, float, str] | None:
    """p, the test in words, effect size and its name."""
    tests = result["overall"] or {}
    welch, kruskal = tests.get("welch"), tests.get("kruskal_wallis")
    if result["preferred"] == "mann_whitney" and kruskal is not None:
        df = len(result["groups"]) - 1
        return kruskal["p"], f"Kruskal–Wallis H({df}) = {number(kruskal['h'], 3)}", kruskal["epsilon_squared"], "ε²"
    if welch is None:
        return None
    words = f"Welch F({number(welch['df1'], 3)}, {number(welch['df2'], 3)}) = {number(welch['f'], 3)}"
    return welch["p"], words, tests["eta_squared"] or 0.0, "η²"


def _which(result: Result) -> str:
    """The pairs that differ, by the higher level."""
    by_ranks = result["preferred"] == "mann_whitney"
    centre = {entry["level"]: entry["median" if by_ranks else "mean"] for entry in result["groups"]}
    lower: dict[str, list[str]] = {}
    unclear = 0
    for pair in result["pairs"]:
        test = pair["post_hoc"]
        if test is None or test["p_adjusted"] >= SIGNIFICANT:
            unclear += 1
            continue
        first = test["rank_difference"] > 0 if by_ranks else test["difference"] > 0
        upper, under = (pair["a"], pair["b"]) if first else (pair["b"], pair["a"])
        lower.setdefault(upper, []).append(f"{under} ({number(centre[under])})")
    if not lower:
        return "No single pair of levels differs clearly."
    upper_first = sorted(lower, key=lambda level: (-centre[level], level))
    word = "median" if by_ranks else "mean"
    name = "Dunn's test, Holm-adjusted" if by_ranks else "Games–Howell, adjusted for all pairs"
    parts = [f"{level} ({word} {number(centre[level])}) is higher than {listed(lower[level])}" for level in upper_first]
    verb = "does" if unclear == 1 else "do"
    rest = f"; {unclear} of {plural(len(result['pairs']), 'pair')} {verb} not differ clearly" if unclear else ""
    return f"{'; '.join(parts)}{rest} ({name})."
