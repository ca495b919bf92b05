"""Comparisons of groups, contingency tables, trends and hypotheses in plain scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.reproduction.code import check, check_p, literal
from worker.engines.analysis.reproduction.where import shown

Result = dict[str, Any]
Types = Mapping[str, str]


def _groups(result: Result, types: Types, levels: list[str]) -> list[str]:
    response, group = literal(result["response"]), literal(result["group"])
    numeric = types.get(result["group"]) in ("number", "integer")
    shown: list[Any] = [float(level) for level in levels] if numeric else levels
    return [
        f"d = data[[{response}, {group}]].dropna()",
        f"levels = {literal(shown)}",
        f"groups = [d.loc[d[{group}] == level, {response}].to_numpy() for level in levels]",
    ]


def anova(result: Result, types: Types) -> list[str]:
    lines = _groups(result, types, [group["level"] for group in result["groups"]])
    lines += [
        "every = np.concatenate(groups)",
        "middle = math.fsum(every) / len(every)",
        "means = [math.fsum(g - middle) / len(g) for g in groups]  # less the mean of all, so that no digit is lost",
        "grand = math.fsum(every - middle) / len(every)",
        "between = math.fsum(len(g) * (m - grand) ** 2 for g, m in zip(groups, means))",
        "within = math.fsum(v for g, m in zip(groups, means) for v in ((g - middle - m) ** 2).tolist())",
        "df1, df2 = len(groups) - 1, len(every) - len(groups)",
        check("n", "len(every)", result["n"]),
        check("sum of squares between", "between", result["ss_between"], scale="1e-9 * within"),
        check("sum of squares within", "within", result["ss_within"], scale="1e-9 * between"),
    ]
    if result["f"] is not None:
        lines += [
            "f = between / df1 / (within / df2)",
            check("F", "f", result["f"], scale="1e-9"),
            check_p("p", "stats.f.sf(f, df1, df2)", result["p"]),
            check("eta squared", "between / (between + within)", result["eta_squared"], scale="1e-9"),
        ]
    kruskal = result.get("kruskal_wallis")
    if kruskal is not None:
        lines += [
            "found = stats.kruskal(*groups)",
            check("Kruskal–Wallis H", "found.statistic", kruskal["h"], scale="1e-6"),
            check_p("Kruskal–Wallis p", "found.pvalue", kruskal["p"]),
        ]
    return lines


def compare_groups(result: Result, types: Types) -> list[str]:
    if result.get("design") == "paired":
        return _paired(result, types)
    levels = [group["level"] for group in result["groups"]]
    lines = _groups(result, types, levels)
    for i, group in enumerate(result["groups"]):
        lines.append(check(f"{group['level']}: n", f"len(groups[{i}])", group["n"]))
        near = f"1e-9 * np.abs(groups[{i}]).max()"
        lines.append(
            check(f"{group['level']}: mean", f"math.fsum(groups[{i}]) / len(groups[{i}])", group["mean"], scale=near)
        )
    lines.append("p_values = {'welch': [], 'mann_whitney': []}")
    for pair in result["pairs"]:
        lines.append(f"a, b = groups[{levels.index(pair['a'])}], groups[{levels.index(pair['b'])}]")
        label = f"{pair['a']} and {pair['b']}"
        welch, ranks = pair.get("welch"), pair.get("mann_whitney")
        if welch is not None:
            lines += [
                "found = stats.ttest_ind(a, b, equal_var=False)",
                "low, high = found.confidence_interval(0.95)",
                "p_values['welch'].append(float(found.pvalue))",
                check(f"{label}: Welch t", "found.statistic", welch["t"], scale="1e-6"),
                check_p(f"{label}: Welch p", "found.pvalue", welch["p"]),
                check(f"{label}: difference, 95 % low", "low", welch["ci_low"], scale="1e-6 * (high - low)"),
                check(f"{label}: difference, 95 % high", "high", welch["ci_high"], scale="1e-6 * (high - low)"),
            ]
        if ranks is not None:
            method = "exact" if ranks["method"] == "exact" else "asymptotic"
            lines += [
                f"found = stats.mannwhitneyu(a, b, method={literal(method)})",
                "p_values['mann_whitney'].append(float(found.pvalue))",
                check(f"{label}: Mann–Whitney U", "found.statistic", ranks["u"]),
                check_p(f"{label}: Mann–Whitney p", "found.pvalue", ranks["p"]),
            ]
    return [*lines, *_adjusted(result, ("welch", "mann_whitney")), *_overall(result)]


def _overall(result: Result) -> list[str]:
    """The tests of all levels together."""
    lines = []
    overall = result.get("overall") or {}
    kruskal, welch = overall.get("kruskal_wallis"), overall.get("welch")
    if welch is not None:
        lines += [
            "if all(np.ptp(g) > 0 for g in groups):",
            "    " + check_p("Welch's analysis of variance: p", "welch_anova(groups)", welch["p"]),
        ]
    if kruskal is not None:
        lines += [
            "found = stats.kruskal(*groups)",
            check("Kruskal–Wallis H", "found.statistic", kruskal["h"], scale="1e-6"),
            check_p("Kruskal–Wallis p", "found.pvalue", kruskal["p"]),
        ]
    if result.get("post_hoc") is not None:
        lines.append("left_out('the pairs by Games and Howell or by Dunn', 'pairs are repeated by Welch and by ranks')")
    return lines


def _adjusted(result: Result, tests: Sequence[str]) -> list[str]:
    """Holm's p over the pairs, from those that ``p_values`` holds of each test."""
    lines = []
    for test in tests:
        known = [pair for pair in result["pairs"] if pair.get(test) is not None]
        if len(known) > 1:
            lines.append(f"adjusted = holm(p_values[{literal(test)}])")
            lines += [
                check_p(f"{pair['a']} and {pair['b']}: {test} adjusted p", f"adjusted[{i}]", pair[test]["p_adjusted"])
                for i, pair in enumerate(known)
            ]
    return lines


def contingency(result: Result, types: Types) -> list[str]:
    rows, columns = literal(result["row"]), literal(result["column"])
    levels = []
    for field, name in (("row_levels", result["row"]), ("column_levels", result["column"])):
        numeric = types.get(name) in ("number", "integer")
        levels.append(literal([float(level) for level in result[field]] if numeric else result[field]))
    lines = [
        f"d = data[[{rows}, {columns}]].dropna()",
        f"counts = pd.crosstab(d[{rows}], d[{columns}]).reindex(index={levels[0]}, columns={levels[1]}).to_numpy()",
        f"different = np.abs(counts - np.array({literal(result['counts'])})).sum()",
        check("counts that differ", "different", 0),
        "found = stats.chi2_contingency(counts, correction=False)",
        check("chi-square", "found.statistic", result["chi2"], scale="1e-9"),
        check_p("p", "found.pvalue", result["p"]),
        "v = math.sqrt(found.statistic / counts.sum() / (min(counts.shape) - 1))",
        check("Cramér's V", "v", result["cramers_v"], scale="1e-6"),
    ]
    if result.get("fisher_p") is not None and len(result["counts"]) == len(result["counts"][0]) == 2:
        lines.append(check_p("Fisher's exact p", "stats.fisher_exact(counts).pvalue", result["fisher_p"]))
    if result.get("odds_ratio") is not None:
        lines += [
            "filled = counts + (0.5 if (counts == 0).any() else 0.0)",
            "odds = filled[0, 0] * filled[1, 1] / (filled[0, 1] * filled[1, 0])",
            check("odds ratio", "odds", result["odds_ratio"]),
        ]
    return lines


def trend(result: Result, _: Types) -> list[str]:
    response = literal(result["response"])
    if result["time"] is None:
        lines = [f"d = data[[{response}]].assign(time=np.arange(1.0, len(data) + 1)).dropna()"]
        time = '"time"'
    else:
        time = literal(result["time"])
        lines = [f"d = data[[{response}, {time}]].dropna()"]
    lines += [f"t, y = d[{time}].to_numpy(), d[{response}].to_numpy()"]
    lines += [
        "t, y = thinned(t, y)  # of more than 3,000 values, as the platform thins",
        "found = mann_kendall(t, y)",
        check("n", "len(y)", result["n"]),
        check("S", "found['s']", result["s"]),
        check("Theil–Sen slope", "found['slope']", result["slope"], scale="1e-9 * np.ptp(y) / np.ptp(t)"),
        check("intercept", "found['intercept']", result["intercept"], scale="1e-9 * np.ptp(y)"),
        *_scored("", "found", result),
    ]
    corrected = result.get("corrected")
    if corrected is not None:
        lines += _scored("corrected for autocorrelation: ", "found['corrected']", corrected)
    season = (result.get("seasonality") or {}).get("found")
    if season is not None and season["seasonal_mann_kendall"] is not None:
        there = season["seasonal_mann_kendall"]
        lines += [
            f"moments, values = d[{time}].to_numpy(), d[{response}].to_numpy()",
            f"found = seasonal_mann_kendall(moments, values, {season['period']}, {literal(season['unit'])})",
            check("by season: S", "found['s']", there["s"]),
            check("by season: slope", "found['slope']", there["slope"], scale="1e-9 * np.ptp(y) / np.ptp(t)"),
            *_scored("by season: ", "found", there),
        ]
    return [*lines, "left_out('which seasons and changes there are', 'they are searched for, the changes at random')"]


def _scored(label: str, here: str, there: Result) -> list[str]:
    """z, p and the limits of the slope."""
    near = "1e-9 * np.ptp(y) / np.ptp(t)"
    lines = [check(f"{label}z", f"{here}['z']", there["z"], scale="1e-9")] if there.get("z") is not None else []
    lines.append(check_p(f"{label}p", f"{here}['p']", there["p"]))
    for key, end in (("ci_low", "low"), ("ci_high", "high")):
        if there.get(key) is not None:
            lines.append(check(f"{label}slope, 95 % {end}", f"{here}['{key}']", there[key], scale=near))
    return lines


def _paired(result: Result, types: Types) -> list[str]:
    """Differences within subjects that have a value at every level."""
    levels = [group["level"] for group in result["groups"]]
    response, group, subject = (literal(result[key]) for key in ("response", "group", "pair"))
    lines = [
        f"d = data[[{subject}, {group}, {response}]].dropna()",
        f"wide = d.pivot_table(index={subject}, columns={group}, values={response}, aggfunc='mean')",
        f"wide = wide[{shown(levels, result['group'], types)}].dropna()",
        f"cells = d[{response}].abs().groupby([d[{subject}], d[{group}]]).agg(['mean', 'size']).unstack()",
        "sizes, counts = (cells[of].loc[wide.index, wide.columns].to_numpy() for of in ('mean', 'size'))",
        "wide, off = wide.to_numpy(), rounding(sizes, counts)",
        check("subjects", "len(wide)", result["subjects"]),
        "p_values = {'paired_t': [], 'wilcoxon': []}",
    ]
    for pair in result["pairs"]:
        i, j = levels.index(pair["a"]), levels.index(pair["b"])
        label, t, ranks = f"{pair['a']} and {pair['b']}", pair.get("paired_t"), pair.get("wilcoxon")
        lines.append(f"a, b = wide[:, {i}], wide[:, {j}]")
        if t is not None:
            near = "1e-6 * (high - low)"
            lines += [
                "found = stats.ttest_rel(a, b)",
                "low, high = found.confidence_interval(0.95)",
                "p_values['paired_t'].append(float(found.pvalue))",
                check(f"{label}: difference", "(a - b).mean()", t["difference"], scale=near),
                check(f"{label}: difference, 95 % low", "low", t["ci_low"], scale=near),
                check(f"{label}: difference, 95 % high", "high", t["ci_high"], scale=near),
                check(f"{label}: paired t", "found.statistic", t["t"], scale="1e-6"),
                check_p(f"{label}: paired p", "found.pvalue", t["p"]),
            ]
        if ranks is not None:
            lines += [
                f"w, p, biserial = signed_ranks(a, b, off[:, {i}] + off[:, {j}])",
                "p_values['wilcoxon'].append(p)",
                check(f"{label}: Wilcoxon W", "w", ranks["w"]),
                check_p(f"{label}: Wilcoxon p", "p", ranks["p"]),
                check(f"{label}: rank-biserial correlation", "biserial", ranks["rank_biserial"], scale="1e-6"),
            ]
    lines += _adjusted(result, ("paired_t", "wilcoxon"))
    friedman = (result.get("overall") or {}).get("friedman")
    if friedman is not None:
        lines += [
            "places = [steps(row, error) for row, error in zip(wide, np.where(counts > 1, off, 0.0))]",
            "found = stats.friedmanchisquare(*np.array(places).T)",
            check("Friedman chi-square", "found.statistic", friedman["chi2"], scale="1e-6"),
            check_p("Friedman p", "found.pvalue", friedman["p"]),
        ]
    return [*lines, "left_out('intervals of the middle and of effect sizes', 'the script has the tests only')"]
