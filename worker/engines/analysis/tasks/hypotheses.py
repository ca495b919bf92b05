"""`hypotheses`: given or generated, tested together, each with effect, interval, adjusted p and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from worker.engines.analysis.canonical import content_id
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.distributions import holm, noncentral_f_interval
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks import anova, compare_groups, contingency, correlation, trend
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import interval, number, p_value

MOST = 100
_MEASURES, _GROUPINGS = 10, 5
_SIGNIFICANT = 0.05
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "correlation": ("x", "y"),
    "difference": ("response", "group"),
    "association": ("row", "column"),
    "trend": ("response", "time"),
}


def run(table: Table, task: Task) -> Result:
    """Test every hypothesis, with Holm's adjustment over all of them.

    A given hypothesis is ``{kind, …}``: `correlation` of `x` and `y`, `difference` of `response` between the levels of
    `group`, `association` of `row` and `column`, `trend` of `response` over `time`. Without any they are generated:
    correlations among the first ten measures, differences between and associations of the first five categories.
    """
    given = task.arguments.get("hypotheses")
    if given is None:
        listed = _generated(table)
        if not listed:
            raise NotPossible("The data suggest no hypothesis: two related columns with different values are needed.")
    else:
        listed = _given(task, given)
    tested = [_test(table, task, hypothesis, f"hypotheses[{i}]") for i, hypothesis in enumerate(listed)]
    known = [item for item in tested if item["p"] is not None]
    for item, adjusted in zip(known, holm([item["p"] for item in known]), strict=True):
        item["p_adjusted"] = adjusted
        item["supported"] = adjusted < _SIGNIFICANT
    for item in tested:
        item["verdict"] = _verdict(item)
    warnings = []
    if given is None:
        warnings.append("the hypotheses were generated from the data they are tested on: confirm them on other data")
    return {
        "origin": "generated" if given is None else "given",
        "adjustment": "holm",
        "hypotheses": tested,
        "warnings": warnings,
    }


def _generated(table: Table) -> list[dict[str, str]]:
    measures = [column.name for column in table.measures()][:_MEASURES]
    groupings = [column.name for column in table.groupings()][:_GROUPINGS]
    listed = [{"kind": "correlation", "x": x, "y": y} for x, y in combinations(measures, 2)]
    listed += [{"kind": "difference", "response": y, "group": g} for g in groupings for y in measures]
    listed += [{"kind": "association", "row": a, "column": b} for a, b in combinations(groupings, 2)]
    return listed[:MOST]


def _given(task: Task, given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list | tuple) or not given or len(given) > MOST:
        raise task.fault("hypotheses", f"must be a list of 1 to {MOST} hypotheses")
    for i, item in enumerate(given):
        place = f"hypotheses[{i}]"
        kind = item.get("kind") if isinstance(item, Mapping) else None
        if not isinstance(kind, str) or kind not in _FIELDS:
            raise task.fault(f"{place}.kind", f"must be one of {', '.join(_FIELDS)}")
        if set(item) - {"kind"} != set(_FIELDS[kind]):
            raise task.fault(place, f"{kind} takes {' and '.join(_FIELDS[kind])}")
    return [dict(item) for item in given]


def _test(table: Table, task: Task, hypothesis: Mapping[str, str], place: str) -> Result:
    kind = hypothesis["kind"]
    inner = Task(
        kind, {key: value for key, value in hypothesis.items() if key != "kind"}, f"{task.path}.{place}", task.seed
    )
    try:
        tested = _TESTS[kind](table, inner)
    except NotPossible as reason:
        tested = {
            "statement": _plainly(hypothesis),
            "test": None,
            "n": 0,
            "effect": None,
            "p": None,
            "warnings": [str(reason)],
        }
    return {
        "id": content_id("hypothesis", dict(hypothesis)),
        **hypothesis,
        "p_adjusted": None,
        "supported": None,
        **tested,
    }


def _plainly(hypothesis: Mapping[str, str]) -> str:
    first, second = (hypothesis[field] for field in _FIELDS[hypothesis["kind"]])
    words = {"correlation": "{} and {} go together", "difference": "{} differs between the levels of {}"}
    words |= {"association": "{} and {} are associated", "trend": "{} rises or falls over {}"}
    return words[hypothesis["kind"]].format(first, second)


def _statement(kind: str, task: Task) -> str:
    return _plainly({"kind": kind, **task.arguments})


def _correlation(table: Table, task: Task) -> Result:
    """By Spearman's ρ, which needs neither normality nor a straight line."""
    x, y = task.column("x", table, numeric=True), task.column("y", table, numeric=True)
    if x.name == y.name:
        raise task.fault("y", "must be another column than x")
    pair = correlation.run(table, Task("correlation", {"columns": [x.name, y.name]}, task.path))["pairs"][0]
    found = pair["spearman"]
    if found["r"] is None:
        raise NotPossible(f"{x.name} and {y.name}: {'; '.join(pair['warnings'])}.")
    effect = {"name": "Spearman ρ", "value": found["r"], "ci_low": found["ci_low"], "ci_high": found["ci_high"]}
    return _tested(_statement("correlation", task), "spearman", pair["n"], effect, found["p"], {}, pair["warnings"])


def _difference(table: Table, task: Task) -> Result:
    """Two levels: the test that `compare_groups` prefers; more: the one that `anova` advises."""
    statement = _statement("difference", task)
    result = anova.run(table, task)
    if len(result["groups"]) == 2:
        compared = compare_groups.run(table, task)
        name = compared["preferred"]
        test = compared["pairs"][0][name]
        if test is None:
            raise NotPossible(f"{statement}: the values do not vary enough to tell.")
        keys = (
            ("hedges_g", "hedges_g_ci_low", "hedges_g_ci_high")
            if name == "welch"
            else ("superiority", "ci_low", "ci_high")
        )
        label = "Hedges' g" if name == "welch" else "probability of superiority"
        effect = {"name": label, "value": test[keys[0]], "ci_low": test[keys[1]], "ci_high": test[keys[2]]}
        return _tested(statement, name, compared["n"], effect, test["p"], compared["assumptions"], compared["warnings"])
    advised = result["advice"].split(":")[0]
    kruskal, welch = result["kruskal_wallis"], result["welch"]
    if result["f"] is None:
        raise NotPossible(f"{statement}: nothing varies within the groups.")
    p = result["p"]
    if advised == "kruskal_wallis" and kruskal is not None:
        p = kruskal["p"]
    elif advised == "welch" and welch is not None:
        p = welch["p"]
    else:
        advised = "anova"
    low, high = noncentral_f_interval(result["f"], result["df_between"], result["df_within"])
    n = result["n"]
    effect = {"name": "η²", "value": result["eta_squared"], "ci_low": low / (low + n), "ci_high": high / (high + n)}
    return _tested(statement, advised, n, effect, p, result["assumptions"], result["warnings"])


def _association(table: Table, task: Task) -> Result:
    result = contingency.run(table, task)
    effect = {"name": "Cramér's V", "value": result["cramers_v"]}
    effect |= {"ci_low": result["cramers_v_ci_low"], "ci_high": result["cramers_v_ci_high"]}
    p = result["fisher_p"] if result["preferred"] == "fisher" else result["p"]
    checks = {"least_expected": result["least_expected"]}
    return _tested(
        _statement("association", task), result["preferred"], result["n"], effect, p, checks, result["warnings"]
    )


def _trend(table: Table, task: Task) -> Result:
    result = trend.run(table, task)
    effect = {"name": f"slope per {result['time_unit']}", "value": result["slope"]}
    effect |= {"ci_low": result["ci_low"], "ci_high": result["ci_high"]}
    checks = {"residual_autocorrelation_lag1": result["residual_autocorrelation_lag1"]}
    return _tested(
        _statement("trend", task), "mann_kendall", result["n"], effect, result["p"], checks, result["warnings"]
    )


_TESTS = {"correlation": _correlation, "difference": _difference, "association": _association, "trend": _trend}


def _tested(statement: str, test: str, n: int, effect: Result, p: float, checks: Result, warnings: list[str]) -> Result:
    return {
        "statement": statement,
        "test": test,
        "n": n,
        "effect": effect,
        "p": p,
        "assumptions": checks,
        "warnings": list(warnings),
    }


def _verdict(item: Result) -> str:
    if item["p"] is None:
        return f"The data cannot answer whether {item['statement']}: {' '.join(item['warnings'])}"
    effect = item["effect"]
    figures = f"{effect['name']} = {number(effect['value'], 3)}, {interval(effect['ci_low'], effect['ci_high'])}"
    figures += f", adjusted {p_value(item['p_adjusted'])}, n = {item['n']}"
    if item["supported"]:
        return f"The data support that {item['statement']} ({figures}); this does not show why."
    return f"The data do not show that {item['statement']} ({figures}); effects within the interval remain possible."
