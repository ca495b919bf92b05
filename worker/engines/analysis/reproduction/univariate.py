"""Profile, description and correlation in plain pandas and scipy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.analysis.reproduction.code import check, check_p, literal

Result = dict[str, Any]
Types = Mapping[str, str]
"""The type of each column of the table, by name."""

_NUMERIC = ("number", "integer")


def profile(result: Result, types: Types) -> list[str]:
    lines = [check("rows", "len(data)", result["rows"])]
    for column in result["columns"]:
        name = literal(column["name"])
        lines.append(check(f"{column['name']}: missing", f"data[{name}].isna().sum()", column["missing"]))
        if "outliers" in column and types.get(column["name"]) in _NUMERIC:
            lines += [
                f"x = data[{name}].dropna()",
                "q1, q3 = x.quantile(0.25), x.quantile(0.75)",
                "beyond = (x < q1 - 1.5 * (q3 - q1)) | (x > q3 + 1.5 * (q3 - q1))",
                check(f"{column['name']}: values beyond Tukey's fences", "beyond.sum()", column["outliers"]),
            ]
    return lines


def describe(result: Result, types: Types) -> list[str]:
    lines: list[str] = []
    for column in result["columns"]:
        name = column["name"]
        if types.get(name) not in _NUMERIC or column.get("mean") is None:
            lines.append(check(f"{name}: n", f"data[{literal(name)}].count()", column["n"]))
            continue
        lines += [
            f"x = data[{literal(name)}]",
            "near = 1e-9 * x.abs().max()  # what a rounding error amounts to where a result is close to zero",
            "values = x.dropna().to_numpy()",
            "mean = math.fsum(values) / len(values)",
            "mean += math.fsum(values - mean) / len(values)",
            check(f"{name}: n", "len(values)", column["n"]),
            check(f"{name}: mean", "mean", column["mean"], scale="near"),
        ]
        for key, source in (("min", "min"), ("q1", "0.25"), ("median", "0.5"), ("q3", "0.75"), ("max", "max")):
            here = f"values.{source}()" if source in ("min", "max") else f"np.quantile(values, {source})"
            lines.append(check(f"{name}: {key}", here, column[key], scale="near"))
        if column.get("sd") is None:
            continue
        lines += [
            "away = x - mean",
            "ss = math.fsum((away.dropna() ** 2).tolist()) - math.fsum(away.dropna().tolist()) ** 2 / len(values)",
            "sd = math.sqrt(max(ss, 0.0) / (len(values) - 1))",
            check(f"{name}: sd", "sd", column["sd"], scale="near"),
        ]
        if column.get("ci_low") is not None:
            lines += [
                "half = stats.t.ppf(0.975, len(values) - 1) * sd / math.sqrt(len(values))",
                check(f"{name}: 95 % interval of the mean, low", "mean - half", column["ci_low"], scale="near"),
                check(f"{name}: 95 % interval of the mean, high", "mean + half", column["ci_high"], scale="near"),
            ]
        if column.get("autocorrelation_lag1") is not None:
            lag1 = "float((away * away.shift(-1)).sum()) / ss"
            there = column["autocorrelation_lag1"]
            lines.append(check(f"{name}: lag-1 autocorrelation", lag1, there, scale="1e-6"))
        if column.get("skewness") is not None:
            lines.append(
                check(f"{name}: skewness", "stats.skew(away.dropna(), bias=False)", column["skewness"], scale="1e-3")
            )
    return lines


def correlation(result: Result, _: Types) -> list[str]:
    lines = ["p_values = {'pearson': {}, 'spearman': {}}"]
    for place, pair in enumerate(result["pairs"]):
        if pair["pearson"]["r"] is None:
            continue
        label = f"{pair['x']} and {pair['y']}"
        lines += [
            f"d = data[[{literal(pair['x'])}, {literal(pair['y'])}]].dropna()",
            "a, b = d.iloc[:, 0].to_numpy(), d.iloc[:, 1].to_numpy()",
            check(f"{label}: n", "len(d)", pair["n"]),
        ]
        for method in ("pearson", "spearman"):
            if pair[method]["r"] is not None:
                lines += _coefficient(place, label, method, pair[method], result["seed"])
        tau = pair.get("kendall")
        if tau is not None and tau["r"] is not None and not result.get("warnings"):
            method = "exact" if tau["p_method"] == "exact" else "asymptotic"
            lines += [
                f"found = stats.kendalltau(a, b, method={literal(method)})",
                check(f"{label}: Kendall tau", "found.statistic", tau["r"], scale="1e-6"),
                check_p(f"{label}: Kendall p", "found.pvalue", tau["p"]),
            ]
    for method in ("pearson", "spearman"):
        known = [pair[method] for pair in result["pairs"] if pair[method]["p"] is not None]
        if len(known) > 1:
            lines += [
                f"found = p_values[{literal(method)}]",
                f"if len(found) == {len(known)}:",
                "    adjusted = holm([found[i] for i in sorted(found)])",
                *(
                    "    " + check_p(f"{method} adjusted p {i + 1}", f"adjusted[{i}]", item["p_adjusted"])
                    for i, item in enumerate(known)
                ),
                "else:",
                f"    left_out({literal(method + ' adjusted p')}, 'not every p-value was repeated')",
            ]
    if result.get("warnings"):
        lines.append("left_out('Kendall tau', 'it is of rows drawn at random')")
    if result.get("control"):
        lines.append("left_out('partial correlations', 'the script has the plain ones only')")
    return lines


def _coefficient(place: int, label: str, method: str, found: Result, seed: int) -> list[str]:
    function = "pearsonr" if method == "pearson" else "spearmanr"
    lines = [
        f"found = stats.{function}(a, b)",
        check(f"{label}: {method} r", "found.statistic", found["r"], scale="1e-6"),
    ]
    if found["p"] is not None:
        source = "float(found.pvalue)"
        if method == "spearman":
            # Of more than 45 pairs none is tested over random orders.
            source = f"spearman(a, b, seed={seed}, drawn={found['p_method'] == 'sampled_permutation'})[1]"
        if method == "spearman" or found["p_method"] == "t":
            lines += [
                f"p_values[{literal(method)}][{place}] = {source}",
                check_p(f"{label}: {method} p", f"p_values[{literal(method)}][{place}]", found["p"]),
            ]
        else:
            lines.append(f"left_out({literal(f'{label}: {method} p')}, 'a perfect correlation is tested over orders')")
    if found["ci_low"] is not None:
        factor = "" if method == "pearson" else ", 1 + found.statistic**2 / 2"
        lines += [
            f"low, high = fisher_interval(found.statistic, len(d){factor})",
            check(f"{label}: {method} low", "low", found["ci_low"], scale="1e-6"),
            check(f"{label}: {method} high", "high", found["ci_high"], scale="1e-6"),
        ]
    return lines


def distribution(result: Result, _: Types) -> list[str]:
    lines: list[str] = []
    for column in result["columns"]:
        name = column["name"]
        if column.get("mean") is None:
            continue
        lines += [
            f"values = data[{literal(name)}].dropna().to_numpy()",
            "near = 1e-9 * np.abs(values).max()",
            check(f"{name}: n", "len(values)", column["n"]),
            check(f"{name}: mean", "math.fsum(values) / len(values)", column["mean"], scale="near"),
        ]
        if column.get("skewness") is not None:
            lines.append(check(f"{name}: skewness", "stats.skew(values, bias=False)", column["skewness"], scale="1e-3"))
        test = column.get("normality") or {}
        if test.get("test") == "shapiro_wilk":
            lines += [
                "found = stats.shapiro(values)",
                check(f"{name}: Shapiro–Wilk W", "found.statistic", test["statistic"], tolerance=1e-4),
                check(f"{name}: Shapiro–Wilk p", "found.pvalue", test["p"], tolerance=1e-2, scale="1e-6"),
            ]
        lines += [line for made in column.get("candidates") or [] for line in _candidate(name, made)]
    return lines


_LIKELIHOODS = {
    "normal": ("stats.norm.logpdf(values, {mean}, {sd})", 2),
    "lognormal": ("stats.lognorm.logpdf(values, {log_sd}, scale=math.exp({log_mean}))", 2),
    "exponential": ("stats.expon.logpdf(values, scale={mean})", 1),
    "gamma": ("stats.gamma.logpdf(values, {shape}, scale={scale})", 2),
    "weibull": ("stats.weibull_min.logpdf(values, {shape}, scale={scale})", 2),
}


def _candidate(name: str, made: Result) -> list[str]:
    """The likelihood of a candidate at the platform's parameters."""
    form, count = _LIKELIHOODS.get(made["name"], ("", 0))
    if not form or made.get("aic") is None or len(made["parameters"]) != count:
        return []
    source = form.format(**{key: repr(value) for key, value in made["parameters"].items()})
    return [check(f"{name}: AIC of the {made['name']}", f"{2 * count} - 2 * {source}.sum()", made["aic"], scale="1.0")]


def outliers(result: Result, _: Types) -> list[str]:
    lines: list[str] = []
    for column in result["columns"]:
        name, fences = column["name"], column.get("fences")
        lines += [
            f"values = data[{literal(name)}].dropna().to_numpy()",
            check(f"{name}: n", "len(values)", column["n"]),
        ]
        if fences is not None:
            lines += [
                "q1, q3 = np.quantile(values, [0.25, 0.75])",
                "low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)",
                check(f"{name}: lower fence", "low", fences["low"], scale="1e-9 * np.abs(values).max()"),
                check(f"{name}: upper fence", "high", fences["high"], scale="1e-9 * np.abs(values).max()"),
                check(f"{name}: values outside", "((values < low) | (values > high)).sum()", column["outside"]),
            ]
        if column.get("mad") is not None:
            lines += [
                "away = np.abs(values - np.median(values))",
                check(f"{name}: median distance from the median", "np.median(away)", column["mad"]),
            ]
    return lines
