"""`compare_groups`: a numeric response between the levels of a category."""

from __future__ import annotations

from itertools import combinations

from worker.engines.analysis.numerics.distributions import holm
from worker.engines.analysis.numerics.groups import kruskal_wallis, one_way, welch_anova
from worker.engines.analysis.numerics.two_groups import mann_whitney, welch_t
from worker.engines.analysis.table import MAX_LEVELS, Table
from worker.engines.analysis.tasks.grouping import SMALL_GROUP, check_assumptions, describe_group, groups_of, violated
from worker.engines.analysis.tasks.task import Result, Task

_LARGE_GROUP = 30


def run(table: Table, task: Task) -> Result:
    """Every pair of levels by Welch's t and by Mann–Whitney's U, with effect sizes and 95 % intervals.

    `preferred` names the test to read: Welch's, unless the residuals are not normal (Shapiro–Wilk p < 0.05) and a
    group has fewer than 30 values. `p_adjusted` is Holm's over the pairs, per test. With three levels or more
    `overall` has Welch's analysis of variance and Kruskal–Wallis, and the share of variance (eta and omega squared).
    """
    response, group, groups = groups_of(table, task)
    if len(groups) > MAX_LEVELS:
        raise task.fault("group", f"{len(groups)} levels; at most {MAX_LEVELS} are compared in pairs, use anova")
    assumptions = check_assumptions(groups)
    smallest = min(map(len, groups.values()))
    by_ranks = violated(assumptions, "normal_residuals") and smallest < _LARGE_GROUP
    pairs = [_pair(a, b, groups) for a, b in combinations(groups, 2)]
    for test in ("welch", "mann_whitney"):
        tested = [pair[test] for pair in pairs if pair[test] is not None]
        for result, adjusted in zip(tested, holm([result["p"] for result in tested]), strict=True):
            result["p_adjusted"] = adjusted
    warnings = []
    left_out = table.rows - sum(map(len, groups.values()))
    if left_out:
        warnings.append(f"{left_out} of {table.rows} rows are left out: {response.name} or {group.name} is missing")
    if smallest < SMALL_GROUP:
        warnings.append(f"a group has fewer than {SMALL_GROUP} values: intervals are wide and lean on normality")
    return {
        "response": response.name,
        "group": group.name,
        "n": sum(map(len, groups.values())),
        "groups": [describe_group(level, cells) for level, cells in groups.items()],
        "preferred": "mann_whitney" if by_ranks else "welch",
        "pairs": pairs,
        "overall": _overall(groups) if len(groups) > 2 else None,
        "assumptions": assumptions,
        "adjustment": "holm",
        "warnings": warnings,
    }


def _pair(a: str, b: str, groups: dict[str, list[str]]) -> Result:
    t = welch_t(groups[a], groups[b])
    u = mann_whitney(groups[a], groups[b])
    return {
        "a": a,
        "b": b,
        "welch": None
        if t is None
        else {
            "difference": t.difference,
            "ci_low": t.ci_low,
            "ci_high": t.ci_high,
            "t": t.t,
            "df": t.df,
            "p": t.p,
            "hedges_g": t.hedges_g,
            "hedges_g_ci_low": t.g_low,
            "hedges_g_ci_high": t.g_high,
        },
        "mann_whitney": None
        if u is None
        else {
            "u": u.u,
            "p": u.p,
            "method": u.method,
            "superiority": u.superiority,
            "ci_low": u.ci_low,
            "ci_high": u.ci_high,
        },
    }


def _overall(groups: dict[str, list[str]]) -> Result:
    welch = welch_anova(groups)
    kruskal = kruskal_wallis(groups)
    fit = one_way(groups)
    return {
        "eta_squared": fit.r_squared,
        "omega_squared": fit.omega_squared,
        "welch": None if welch is None else dict(zip(("f", "df1", "df2", "p"), welch, strict=True)),
        "kruskal_wallis": None if kruskal is None else dict(zip(("h", "p", "epsilon_squared"), kruskal, strict=True)),
    }
