"""`compare_groups`: a numeric response between the levels of a category."""

from __future__ import annotations

from itertools import combinations

from worker.engines.analysis.numerics.distributions import holm
from worker.engines.analysis.numerics.two_groups import mann_whitney, welch_t
from worker.engines.analysis.table import MAX_LEVELS, Table
from worker.engines.analysis.tasks.grouping import (
    SMALL_GROUP,
    Groups,
    check_assumptions,
    describe_group,
    groups_of,
    violated,
)
from worker.engines.analysis.tasks.paired import compare_paired
from worker.engines.analysis.tasks.post_hoc import add_post_hoc, overall
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import p_value

_LARGE_GROUP = 30


def run(table: Table, task: Task) -> Result:
    """Every pair of levels by Welch's t and by Mann–Whitney's U, with effect sizes and 95 % intervals.

    `preferred` names the test to read: Welch's, unless the residuals are not normal (Shapiro–Wilk p < 0.05, in units
    of each group's spread where spreads differ) and a group has fewer than 30 values. `p_adjusted` is Holm's over the
    pairs, per test. With three levels or more `overall` has Welch's analysis of variance and Kruskal–Wallis, and the
    share of variance (eta and omega squared). In each pair `cliffs_delta` is the superiority on a scale from −1 to 1;
    with three levels or more `post_hoc` is Games and Howell's test or, by ranks, Dunn's. `decision` says which test is
    to be read and why, with the checks' numbers. With `pair` (a column that names subjects) differences are
    within subjects: see :func:`compare_paired`.
    """
    if task.arguments.get("pair") is not None:
        return compare_paired(table, task)
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
        "overall": overall(groups) if len(groups) > 2 else None,
        "post_hoc": add_post_hoc(pairs, groups, by_ranks=by_ranks) if len(groups) > 2 else None,
        "decision": _decision(assumptions, smallest, len(groups), by_ranks=by_ranks),
        "assumptions": assumptions,
        "adjustment": "holm",
        "warnings": warnings,
    }


def _pair(a: str, b: str, groups: Groups) -> Result:
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
            "cliffs_delta": 2 * u.superiority - 1,
            "cliffs_delta_ci_low": 2 * u.ci_low - 1,
            "cliffs_delta_ci_high": 2 * u.ci_high - 1,
        },
    }


def _decision(assumptions: Result, smallest: int, groups: int, *, by_ranks: bool) -> Result:
    """The test to read, with the checks' numbers. Welch's is the default: it loses next to nothing where spreads are
    equal and holds where they are not (Delacre, Lakens and Leys 2017)."""
    checks = []
    for name, label in (("normal_residuals", "Shapiro–Wilk"), ("equal_spread", "Brown–Forsythe")):
        if (check := assumptions[name]) is not None:
            checks.append(f"{label} {p_value(check['p'])}")
    seen = f"{', '.join(checks) or 'no check was possible'}, smallest group {smallest}"
    if by_ranks:
        test = "mann_whitney" if groups == 2 else "kruskal_wallis"
        why = f"the residuals are not normal and a group is small ({seen})"
    else:
        test = "welch_t" if groups == 2 else "welch_anova"
        why = f"Welch's test needs no equal spreads and loses little where they are equal ({seen})"
    return {"test": test, "why": why}
