"""`anova`: one-way analysis of variance, with what to trust instead where its assumptions fail."""

from __future__ import annotations

from worker.engines.analysis.numerics.distributions import f_upper
from worker.engines.analysis.numerics.groups import kruskal_wallis, one_way, welch_anova
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.describe import FEW_DIGITS
from worker.engines.analysis.tasks.grouping import SMALL_GROUP, check_assumptions, describe_group, groups_of, violated
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import plural


def run(table: Table, task: Task) -> Result:
    """`eta_squared` equals `r_squared`; `omega_squared` corrects it for chance and may be slightly negative."""
    response, group, groups = groups_of(table, task)
    fit = one_way(groups)
    welch = welch_anova(groups)
    kruskal = kruskal_wallis(groups)
    assumptions = check_assumptions(groups)
    warnings = []
    left_out = table.rows - sum(map(len, groups.values()))
    if left_out:
        warnings.append(f"{left_out} of {table.rows} rows are left out: {response.name} or {group.name} is missing")
    if min(map(len, groups.values())) < SMALL_GROUP:
        warnings.append(f"a group has fewer than {SMALL_GROUP} values")
    if fit.digits < FEW_DIGITS:
        warnings.append(
            f"only {plural(fit.digits, 'digit')} of the sums of squares can be trusted: the values are large "
            "beside their scatter, and so many rows are computed in doubles"
        )
    if fit.f is None:
        warnings.append("nothing varies within the groups, so F is not defined")
    return {
        "response": response.name,
        "group": group.name,
        "n": sum(map(len, groups.values())),
        "f": fit.f,
        "p": None if fit.f is None else f_upper(fit.f, fit.df_between, fit.df_within),
        "df_between": fit.df_between,
        "df_within": fit.df_within,
        "ss_between": fit.ss_between,
        "ss_within": fit.ss_within,
        "ms_between": fit.ss_between / fit.df_between,
        "ms_within": fit.ms_within,
        "r_squared": fit.r_squared,
        "residual_sd": fit.residual_sd,
        "eta_squared": fit.r_squared,
        "omega_squared": fit.omega_squared,
        "groups": [describe_group(level, cells) for level, cells in groups.items()],
        "assumptions": assumptions,
        "welch": None if welch is None else dict(zip(("f", "df1", "df2", "p"), welch, strict=True)),
        "kruskal_wallis": None if kruskal is None else dict(zip(("h", "p", "epsilon_squared"), kruskal, strict=True)),
        "advice": _advice(assumptions),
        "arithmetic": fit.arithmetic,
        "digits": fit.digits,
        "warnings": warnings,
    }


def _advice(assumptions: Result) -> str:
    if violated(assumptions, "normal_residuals"):
        return "kruskal_wallis: the residuals are not normal (Shapiro–Wilk p < 0.05)"
    if violated(assumptions, "equal_spread"):
        return "welch: the groups scatter differently (Brown–Forsythe p < 0.05)"
    return "anova: no check speaks against it"
