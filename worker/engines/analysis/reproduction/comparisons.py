"""Comparisons of groups, contingency tables, trends and hypotheses in plain scipy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.analysis.reproduction.code import check, literal

Result = dict[str, Any]
Types = Mapping[str, str]

_MOST_ROWS = 3_000
_NEAR_ZERO = "1e-12"


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
            check("p", "stats.f.sf(f, df1, df2)", result["p"], scale=_NEAR_ZERO),
            check("eta squared", "between / (between + within)", result["eta_squared"], scale="1e-9"),
        ]
    kruskal = result.get("kruskal_wallis")
    if kruskal is not None:
        lines += [
            "found = stats.kruskal(*groups)",
            check("Kruskal–Wallis H", "found.statistic", kruskal["h"], scale="1e-6"),
            check("Kruskal–Wallis p", "found.pvalue", kruskal["p"], scale=_NEAR_ZERO),
        ]
    return lines


def compare_groups(result: Result, types: Types) -> list[str]:
    levels = [group["level"] for group in result["groups"]]
    lines = _groups(result, types, levels)
    for i, group in enumerate(result["groups"]):
        lines.append(check(f"{group['level']}: n", f"len(groups[{i}])", group["n"]))
        near = f"1e-9 * np.abs(groups[{i}]).max()"
        lines.append(
            check(f"{group['level']}: mean", f"math.fsum(groups[{i}]) / len(groups[{i}])", group["mean"], scale=near)
        )
    for pair in result["pairs"]:
        lines.append(f"a, b = groups[{levels.index(pair['a'])}], groups[{levels.index(pair['b'])}]")
        label = f"{pair['a']} and {pair['b']}"
        welch, ranks = pair.get("welch"), pair.get("mann_whitney")
        if welch is not None:
            lines += [
                "found = stats.ttest_ind(a, b, equal_var=False)",
                "low, high = found.confidence_interval(0.95)",
                check(f"{label}: Welch t", "found.statistic", welch["t"], scale="1e-6"),
                check(f"{label}: Welch p", "found.pvalue", welch["p"], scale=_NEAR_ZERO),
                check(f"{label}: difference, 95 % low", "low", welch["ci_low"], scale="1e-6 * (high - low)"),
                check(f"{label}: difference, 95 % high", "high", welch["ci_high"], scale="1e-6 * (high - low)"),
            ]
        if ranks is not None:
            method = "exact" if ranks["method"] == "exact" else "asymptotic"
            lines += [
                f"found = stats.mannwhitneyu(a, b, method={literal(method)})",
                check(f"{label}: Mann–Whitney U", "found.statistic", ranks["u"]),
                check(f"{label}: Mann–Whitney p", "found.pvalue", ranks["p"], scale=_NEAR_ZERO),
            ]
    kruskal = (result.get("overall") or {}).get("kruskal_wallis")
    if kruskal is not None:
        lines += [
            "found = stats.kruskal(*groups)",
            check("Kruskal–Wallis H", "found.statistic", kruskal["h"], scale="1e-6"),
            check("Kruskal–Wallis p", "found.pvalue", kruskal["p"], scale=_NEAR_ZERO),
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
        check("p", "found.pvalue", result["p"], scale=_NEAR_ZERO),
        "v = math.sqrt(found.statistic / counts.sum() / (min(counts.shape) - 1))",
        check("Cramér's V", "v", result["cramers_v"], scale="1e-6"),
    ]
    if result.get("fisher_p") is not None and len(result["counts"]) == len(result["counts"][0]) == 2:
        lines.append(
            check("Fisher's exact p", "stats.fisher_exact(counts).pvalue", result["fisher_p"], scale=_NEAR_ZERO)
        )
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
    if any("thinned" in warning for warning in result.get("warnings", [])):
        lines += [
            "order = np.argsort(t, kind='stable')",
            f"order = order[[k * len(order) // {_MOST_ROWS} for k in range({_MOST_ROWS})]]  # as the platform thins",
            "t, y = t[order], y[order]",
        ]
    lines += [
        "found = mann_kendall(t, y)",
        check("n", "len(y)", result["n"]),
        check("S", "found['s']", result["s"]),
        check("Theil–Sen slope", "found['slope']", result["slope"], scale="1e-9 * np.ptp(y) / np.ptp(t)"),
        check("intercept", "found['intercept']", result["intercept"], scale="1e-9 * np.ptp(y)"),
    ]
    if result["p_method"] == "normal" and result.get("z") is not None:
        lines += [
            check("z", "found['z']", result["z"], scale="1e-9"),
            check("p", "found['p']", result["p"], scale=_NEAR_ZERO),
        ]
    else:
        lines.append(f"left_out('p', {literal('its method is ' + str(result['p_method']))})")
    return lines
