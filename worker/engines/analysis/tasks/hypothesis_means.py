"""Hypotheses on means and shares: differences, a mean or a share against a value, pairs, equivalence."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics import detectable
from worker.engines.analysis.numerics.distributions import noncentral_f_interval, t_quantile
from worker.engines.analysis.numerics.one_sample import (
    Estimate,
    Vector,
    mean_of,
    share_of,
    within_margin,
)
from worker.engines.analysis.numerics.paired import SignedRanks, signed_ranks
from worker.engines.analysis.table import Column, Table, complete_rows
from worker.engines.analysis.tasks import anova, compare_groups
from worker.engines.analysis.tasks.grouping import violated
from worker.engines.analysis.tasks.parts import two_levels
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.tasks.tested import Tested, directed, effect_of, normal_check

_LARGE = 30
_NORMAL = 0.05
_DIGITS = 60


def difference_test(table: Table, task: Task) -> Tested:
    """Two levels (or `level` against `than`, or against all others): the test that `compare_groups` prefers. More:
    Welch's analysis of variance, or Kruskal–Wallis where values are not normal and a group is small. The classical F
    is read only where a group does not vary, since it goes wrong where spreads differ."""
    table = _reduced(table, task)
    inner = Task(task.kind, {k: task.arguments[k] for k in ("response", "group")}, task.path, task.seed)
    response, group = task.column("response", table, numeric=True), task.column("group", table)
    if len(np.unique(group.codes()[0][complete_rows([response, group])])) == 2 and response.name != group.name:
        return _two(table, task, inner)
    result = anova.run(table, inner)
    kruskal, welch = result["kruskal_wallis"], result["welch"]
    if result["f"] is None:
        raise NotPossible("nothing varies within the groups.")
    skewed = violated(result["assumptions"], "normal_residuals")
    uneven = violated(result["assumptions"], "equal_spread")
    small = min(group["n"] for group in result["groups"]) < _LARGE
    test, p = "anova", result["p"]
    if skewed and small and kruskal is not None:
        test, p = "kruskal_wallis", kruskal["p"]
    elif welch is not None:
        test, p = "welch", welch["p"]
    n, df1, df2 = result["n"], result["df_between"], result["df_within"]
    low, high = noncentral_f_interval(result["f"], df1, df2)
    effect = {"name": "η²", "value": result["eta_squared"], "ci_low": low / (low + n), "ci_high": high / (high + n)}
    warnings = list(result["warnings"])
    if uneven:
        warnings.append("the interval of η² takes equal spreads for granted, and the groups scatter differently")
        if test == "kruskal_wallis":
            warnings.append("ranks answer to different spreads as well, so p may be too small")
    return Tested(
        test,
        n,
        effect,
        p,
        result["eta_squared"] ** 0.5,
        result["assumptions"],
        warnings,
        lambda level: detectable.eta_squared(df1, df2, n, level),
    )


def _reduced(table: Table, task: Task) -> Table:
    level, than = task.arguments.get("level"), task.arguments.get("than")
    if level is None:
        return table
    group = task.column("group", table)
    for field, value in (("level", level), ("than", than)):
        if value is not None and value not in group.levels():
            raise task.fault(field, f"{group.name} has no level {value!r}; there are {', '.join(group.levels()[:20])}")
    if level == than:
        raise task.fault("than", "must be another level")
    return two_levels(table, group, level, than)


def _two(table: Table, task: Task, inner: Task) -> Tested:
    result = compare_groups.run(table, inner)
    pair, name = result["pairs"][0], result["preferred"]
    # Another test of the family may be preferred; its effect is then the standardised difference.
    test = pair[name] or pair["welch"] or pair["mann_whitney"]
    if test is None:
        raise NotPossible("the values do not vary enough to tell.")
    ranks = "superiority" in test
    level = task.arguments.get("level", pair["a"])
    other = pair["b"] if level == pair["a"] else pair["a"]
    effect = (
        effect_of("probability of superiority", test, "superiority")
        if ranks
        else effect_of("Hedges' g", test, "hedges_g", "hedges_g_ci_low", "hedges_g_ci_high")
    )
    if level != pair["a"]:
        about = 1.0 if ranks else 0.0
        low, high = effect["ci_low"], effect["ci_high"]
        effect |= {"value": about - effect["value"], "ci_low": about - high, "ci_high": about - low}
    effect["between"] = f"{level} and {other}"
    direction = task.arguments.get("direction")
    sizes = [group["n"] for group in result["groups"]]
    value = effect["value"]
    warnings = result["warnings"]
    if "than" in task.arguments:
        # Rows of other levels are left out because they were not asked about.
        warnings = [warning for warning in warnings if "left out" not in warning]
    smallest = detectable.superiority if ranks else detectable.standardised
    return Tested(
        name,
        result["n"],
        effect,
        directed(test["p"], value - 0.5 if ranks else value, direction),
        abs(2 * value - 1) if ranks else abs(value) / (value * value + 4) ** 0.5,
        result["assumptions"],
        warnings,
        lambda at: smallest(sizes[0], sizes[1], at, one_sided=direction is not None),
    )


def mean_test(table: Table, task: Task) -> Tested:
    column, value = task.column("column", table, numeric=True), float(task.arguments["value"])
    values = column.floats()[column.present()]
    warnings = _left_out(table, len(values))
    found = mean_of(values - value)
    if found is None:
        raise NotPossible(f"{column.name} has too few different values.")
    checks, doubts = _normality(values)
    effect = _shown("mean", found, value)
    return _of_mean("t_test", task, found, values, effect, checks, [*warnings, *doubts])


def paired_test(table: Table, task: Task) -> Tested:
    """Student's t on the differences; Wilcoxon's signed ranks for fewer than thirty that are not normal."""
    differences = _differences(table, task)
    warnings = _left_out(table, len(differences))
    found = mean_of(differences)
    if found is None:
        raise NotPossible("the differences are too few or all the same.")
    checks, doubts = _normality(differences)
    if doubts:
        ranked = _signed_ranks(table, task)
        if ranked is not None:
            return _by_ranks(task, ranked, differences, checks, warnings)
    effect = _shown("mean difference", found)
    return _of_mean("paired_t_test", task, found, differences, effect, checks, [*warnings, *doubts])


def _by_ranks(task: Task, ranked: SignedRanks, differences: Vector, checks: Result, warnings: list[str]) -> Tested:
    found = Estimate(ranked.median, ranked.ci_low, ranked.ci_high, ranked.p)
    effect = _shown("middle of the differences (Hodges–Lehmann)", found)
    # The ranks and the middle can point to different sides; the side of the test is that of the ranks.
    return _of_mean("signed_rank", task, found, differences, effect, checks, warnings, side=ranked.rank_biserial)


def _differences(table: Table, task: Task) -> Vector:
    first, second = task.column("first", table, numeric=True), task.column("second", table, numeric=True)
    if first.name == second.name:
        raise task.fault("second", "must be another column than first")
    rows = complete_rows([first, second])
    return np.asarray(first.floats()[rows] - second.floats()[rows], dtype=np.float64)


def _signed_ranks(table: Table, task: Task) -> SignedRanks | None:
    """Of differences of decimals where these are at hand, so that 0.3 - 0.2 and 0.2 - 0.1 are equal."""
    first, second = task.column("first", table, numeric=True), task.column("second", table, numeric=True)
    rows = complete_rows([first, second])
    if not (first.exact and second.exact):
        return signed_ranks(first.floats()[rows], second.floats()[rows])
    with localcontext(prec=_DIGITS):
        pairs = ((Decimal(first.cells[i] or 0), Decimal(second.cells[i] or 0)) for i in rows.tolist())
        return signed_ranks(np.array([float(a - b) for a, b in pairs]))


def _shown(name: str, found: Estimate, about: float = 0.0) -> Result:
    def moved(value: float | None) -> float | None:
        return None if value is None else value + about

    return {"name": name, "value": found.value + about, "ci_low": moved(found.ci_low), "ci_high": moved(found.ci_high)}


def _normality(values: Vector) -> tuple[Result, list[str]]:
    check = normal_check(values)
    doubtful = check is not None and check["p"] < _NORMAL and len(values) < _LARGE
    warning = "the values are few and not normal, which the t test leans on"
    return {"normal": check}, [warning] if doubtful else []


def _of_mean(
    test: str,
    task: Task,
    found: Estimate,
    values: Vector,
    effect: Result,
    checks: Result,
    warnings: list[str],
    side: float | None = None,
) -> Tested:
    direction = task.arguments.get("direction")
    sd = float(values.std(ddof=1))
    d = found.value / sd
    low, high = found.ci_low, found.ci_high
    return Tested(
        test,
        len(values),
        effect,
        directed(found.p, found.value if side is None else side, direction),
        abs(d) / (d * d + 4) ** 0.5,
        checks,
        warnings,
        None
        if low is None or high is None
        else lambda level: detectable.from_interval(low, high, level, one_sided=direction is not None),
    )


def proportion_test(table: Table, task: Task) -> Tested:
    """The exact binomial test, with Clopper and Pearson's interval."""
    column, value = task.column("column", table), float(task.arguments["value"])
    level, direction = task.arguments["level"], task.arguments.get("direction")
    codes, levels = column.codes()
    if level not in levels:
        raise task.fault("level", f"{column.name} has no value {level!r}; there are {', '.join(levels[:20])}")
    n = int((codes >= 0).sum())
    found, above, below = share_of(int((codes == levels.index(level)).sum()), n, value)
    p = found.p if direction is None else above if direction == "greater" else below
    return Tested(
        "binomial",
        n,
        {"name": f"share of {level}", "value": found.value, "ci_low": found.ci_low, "ci_high": found.ci_high},
        p,
        min(1.0, abs(found.value - value)),
        warnings=_left_out(table, n),
        smallest=lambda at: detectable.share(value, n, at, one_sided=direction is not None),
    )


def equivalence_test(table: Table, task: Task) -> Tested:
    """Two one-sided t tests: Welch's for two groups, one sample's for a mean against a value and for pairs."""
    margin = float(task.arguments["margin"])
    checks: Result = {}
    if "response" in task.arguments:
        table = _reduced(table, task)
        arguments = {k: task.arguments[k] for k in ("response", "group")}
        result = compare_groups.run(table, Task("compare_groups", arguments, task.path, task.seed))
        welch = result["pairs"][0]["welch"]
        if len(result["groups"]) != 2:
            raise task.fault("level", "equivalence compares two levels: name level, and than")
        if welch is None:
            raise NotPossible("the values do not vary enough to tell.")
        df = welch["df"]
        error = (welch["ci_high"] - welch["ci_low"]) / (2 * t_quantile(0.975, df))
        pair, n, warnings = result["pairs"][0], result["n"], result["warnings"]
        effect = effect_of("difference of means", welch, "difference")
        effect["between"] = f"{pair['a']} and {pair['b']}"
        checks = result["assumptions"]
    else:
        values, about = _against(table, task)
        found = mean_of(values - about)
        if found is None or found.std_error is None or found.df is None:
            raise NotPossible("too few different values.")
        error, df, n = found.std_error, found.df, len(values)
        warnings = _left_out(table, n)
        checks, doubts = _normality(values)
        warnings += doubts
        effect = _shown("difference of means", found)
    p, low, high = within_margin(effect["value"], error, df, margin)
    effect |= {"ci90_low": low, "ci90_high": high}
    return Tested("two_one_sided_t", n, effect, p, max(0.0, 1 - abs(effect["value"]) / margin), checks, warnings)


def _against(table: Table, task: Task) -> tuple[Vector, float]:
    if "first" in task.arguments:
        return _differences(table, task), 0.0
    column: Column = task.column("column", table, numeric=True)
    return column.floats()[column.present()], float(task.arguments["value"])


def _left_out(table: Table, used: int) -> list[str]:
    missing = table.rows - used
    return [f"{missing} of {table.rows} rows are left out: a value is missing"] if missing else []
