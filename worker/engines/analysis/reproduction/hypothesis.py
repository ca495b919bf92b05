"""Hypotheses: every test repeated, and the adjustment over all of them from the p-values found here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from worker.engines.analysis.reproduction.code import check, check_p, literal
from worker.engines.analysis.reproduction.where import shown

Result = dict[str, Any]
Types = Mapping[str, str]

_NUMERIC = ("number", "integer")
_EPSILON = 1e-14
_SEVERAL = {
    "welch": "welch_anova(groups)",
    "kruskal_wallis": "float(stats.kruskal(*groups).pvalue)",
    "anova": "float(stats.f_oneway(*groups).pvalue)",
}
_FUNCTIONS = {"holm": "holm", "bh": "benjamini_hochberg", "none": "list"}


class _NotRepeated(Exception):
    """Why the script does not repeat a hypothesis."""


def hypotheses(result: Result, types: Types) -> list[str]:
    lines = ["p = {}"]
    holdout = result.get("holdout") or {}
    if holdout.get("used"):
        lines += [
            f"order = np.random.Generator(np.random.PCG64({result['seed']})).permutation(len(data))",
            "data = data.iloc[np.sort(order[len(data) // 2:])].reset_index(drop=True)  # the half that tests",
            check("rows held out", "len(data)", holdout["rows_tested"]),
            "left_out('the choice of hypotheses', 'only their tests in the other half are repeated')",
        ]
    known = []
    for i, item in enumerate(result["hypotheses"]):
        if item["p"] is None:
            continue
        known.append(i)
        lines += _one(i, item, types)
    adjusted = [check_p(f"{result['hypotheses'][i]['statement']}: adjusted p", f"adjusted[{place}]",
                        result["hypotheses"][i]["p_adjusted"]) for place, i in enumerate(known)]  # fmt: skip
    if not known:
        return [*lines, "left_out('the hypotheses', 'none could be tested')"]
    return [
        *lines,
        f"if len(p) == {len(known)}:",
        f"    adjusted = {_FUNCTIONS[result['adjustment']]}([p[i] for i in sorted(p)])",
        *(f"    {line}" for line in adjusted),
        "else:",
        "    left_out('adjusted p-values', 'they rest on all p-values, and not every one was repeated')",
    ]


def _one(place: int, item: Result, types: Types) -> list[str]:
    """Lines that put p of a hypothesis into ``p[place]`` and compare it."""
    statement = item["statement"]
    try:
        written = _WRITERS[item["kind"]](item, types)
    except _NotRepeated as reason:
        return [f"left_out({literal(statement)}, {literal(str(reason))})"]
    direction = item.get("direction")
    test = [written.test]
    # The binomial test has its own two tails.
    if direction is not None and item["kind"] != "proportion":
        test.append(f"found = one_sided(found, sign, {literal(direction)})")
    test += [
        f"p[{place}] = found",
        check(f"{statement}: n", "n", item["n"]),
        check_p(f"{statement}: p", "found", item["p"], tolerance=written.tolerance),
    ]
    if written.only is None:
        return [*written.lines, *test]
    source, why = written.only
    spare = f"    left_out({literal(statement)}, {literal(why)})"
    return [*written.lines, f"if {source}:", *(f"    {line}" for line in test), "else:", spare]


@dataclass(frozen=True, slots=True)
class _Written:
    """`lines` come to what the line `test` needs, which sets ``found`` (p, two-sided where there is a direction) and
    ``sign``. `only` is a condition of the test and why nothing is repeated without it."""

    lines: list[str]
    test: str
    tolerance: float | None = None
    only: tuple[str, str] | None = None


def _correlation(item: Result, _: Types) -> _Written:
    lines = [f"d = data[[{literal(item['x'])}, {literal(item['y'])}]].dropna()", "n = len(d)"]
    return _Written(lines, "sign, found = spearman(d.iloc[:, 0].to_numpy(), d.iloc[:, 1].to_numpy(), seed=0)")


def _groups(item: Result, types: Types) -> list[str]:
    """The levels asked for: `level` against `than` or against all others, else every one."""
    response, group = literal(item["response"]), literal(item["group"])
    lines = [f"d = data[[{response}, {group}]].dropna()"]
    if "level" not in item:
        return [*lines, f"groups = [g.to_numpy() for _, g in d.groupby({group})[{response}]]"]
    if types.get(item["group"]) == "date":
        raise _NotRepeated("its levels are dates")
    lines.append(f"here = d[{group}].isin({shown([item['level']], item['group'], types)})")
    there = "~here"
    if "than" in item:
        there = f"d[{group}].isin({shown([item['than']], item['group'], types)})"
    return [*lines, f"groups = [d.loc[rows, {response}].to_numpy() for rows in (here, {there})]"]


def _difference(item: Result, types: Types) -> _Written:
    lines = [*_groups(item, types), "n = sum(map(len, groups))"]
    if item["effect"]["name"] == "probability of superiority":
        return _Written(lines, "sign, found = mann_whitney(*groups)")
    if item["effect"]["name"] == "Hedges' g":
        lines.append("a, b = groups")
        test = "sign, found = a.mean() - b.mean(), float(stats.ttest_ind(a, b, equal_var=False).pvalue)"
        return _Written(lines, test)
    return _Written(lines, f"found = {_SEVERAL[item['test']]}")


def _association(item: Result, _: Types) -> _Written:
    row, column = literal(item["row"]), literal(item["column"])
    lines = [f"d = data[[{row}, {column}]].dropna()", f"counts = pd.crosstab(d[{row}], d[{column}])", "n = len(d)"]
    if item["test"] == "chi2":
        return _Written(lines, "found = float(stats.chi2_contingency(counts, correction=False).pvalue)")
    test = "found = float(stats.fisher_exact(counts).pvalue)"
    return _Written(lines, test, only=("counts.shape == (2, 2)", "its p is over random tables"))


def _trend(item: Result, _: Types) -> _Written:
    if item["test"] == "seasonal_mann_kendall":
        raise _NotRepeated("its season is not among its fields, as it is among those of a trend task")
    lines = [
        f"d = data[[{literal(item['time'])}, {literal(item['response'])}]].dropna()",
        "t, y = thinned(d.iloc[:, 0].to_numpy(), d.iloc[:, 1].to_numpy())",
        "tested = mann_kendall(t, y)",
        "n, sign = len(y), tested['slope'] or tested['s']",
    ]
    return _Written(lines, "found = tested['corrected']['p']" if item["test"] == "hamed_rao" else "found = tested['p']")


def _values(item: Result) -> list[str]:
    """The values of one sample: a column, or the differences of two."""
    if "first" in item:
        pair = [literal(item["first"]), literal(item["second"])]
        return [f"d = data[[{', '.join(pair)}]].dropna()", f"values = (d[{pair[0]}] - d[{pair[1]}]).to_numpy()"]
    return [f"values = data[{literal(item['column'])}].dropna().to_numpy()"]


def _mean(item: Result, _: Types) -> _Written:
    value = float(item.get("value", 0.0))
    test = f"sign, found = values.mean() - {value!r}, float(stats.ttest_1samp(values, {value!r}).pvalue)"
    return _Written([*_values(item), "n = len(values)"], test)


def _paired(item: Result, types: Types) -> _Written:
    if item["test"] != "signed_rank":
        return _mean(item, types)
    lines = [*_values(item), "n = len(values)", "a, b = d.to_numpy(dtype=np.float64).T"]
    return _Written(lines, "_, found, sign = signed_ranks(a, b, rounding(a) + rounding(b))")


def _proportion(item: Result, types: Types) -> _Written:
    if types.get(item["column"]) == "date":
        raise _NotRepeated("its levels are dates")
    value = float(item["value"])
    tails = {"greater": f"stats.binom.sf(hits - 1, n, {value!r})", "less": f"stats.binom.cdf(hits, n, {value!r})"}
    both = f"min(1.0, 2 * min({tails['greater']}, {tails['less']}))"
    lines = [
        f"values = data[{literal(item['column'])}].dropna()",
        f"n, hits = len(values), values.isin({shown([item['level']], item['column'], types)}).sum()",
    ]
    return _Written(lines, f"found = float({tails.get(item.get('direction') or '', both)})")


def _equivalence(item: Result, types: Types) -> _Written:
    margin, value = float(item["margin"]), float(item.get("value", 0.0))
    if "response" in item:
        lines = [*_groups(item, types), "a, b = groups", "n = len(a) + len(b)"]
        test, end = "stats.ttest_ind", ", equal_var=False"
        above, below = f"a + {margin!r}, b", f"a - {margin!r}, b"
    else:
        lines = [*_values(item), "n = len(values)"]
        test, end = "stats.ttest_1samp", ""
        above, below = f"values - {value!r}, -{margin!r}", f"values - {value!r}, {margin!r}"
    lines += [
        f"above = {test}({above}{end}, alternative='greater').pvalue",
        f"below = {test}({below}{end}, alternative='less').pvalue",
    ]
    return _Written(lines, "found = float(max(above, below))")


def _regression(item: Result, types: Types) -> _Written:
    predictor, covariates = item["predictor"], [c for c in item.get("covariates") or [] if c != item["predictor"]]
    names = [predictor, *covariates]
    if any(types.get(name) == "date" for name in names):
        raise _NotRepeated("a date is among its predictors")
    if item["test"] == "logistic_regression":
        raise _NotRepeated("scipy has no logistic regression")
    lines = [f"d = data[{literal([item['response'], *names])}].dropna()", "columns = [np.ones(len(d))]"]
    # The predictor comes first after the constant; of a category the level that its effect names is 1.
    for name in names:
        column = f"d[{literal(name)}]"
        if types.get(name) in _NUMERIC:
            lines.append(f"columns.append({column}.to_numpy())")
        elif name == predictor:
            level = item["effect"]["name"].partition("[T.")[2].removesuffix("]")
            lines.append(f"columns.append(({column} == {literal(level)}).to_numpy(dtype=float))")
        else:
            lines.append(f"columns += [({column} == k).to_numpy(dtype=float) for k in sorted({column}.unique())[1:]]")
    robust = item["test"] == "t_test_hc3"
    lines.append(f"n, y = len(d), d[{literal(item['response'])}].to_numpy()")
    test = f"sign, found = coefficient(np.column_stack(columns), y, 1, robust={robust})"
    condition = item["assumptions"].get("condition_number") or 1.0
    # What doubles can hold of an estimate falls with the condition number.
    tolerance = max(1e-6, float(f"{_EPSILON * condition**1.5:.0e}"))
    determined = ("np.linalg.matrix_rank(columns) == len(columns)", "one column of its model follows from others")
    return _Written(lines, test, tolerance if tolerance > 1e-6 else None, determined)


_WRITERS: Mapping[str, Callable[[Result, Types], _Written]] = {
    "correlation": _correlation,
    "difference": _difference,
    "association": _association,
    "trend": _trend,
    "mean": _mean,
    "paired": _paired,
    "proportion": _proportion,
    "equivalence": _equivalence,
    "regression": _regression,
}
