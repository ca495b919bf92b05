"""Findings from correlations, group comparisons, contingency tables, analyses of variance and trends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.all_groups import overall
from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft, confidence, doubts_of
from worker.engines.analysis.wording import interval, number, p_value

Result = dict[str, Any]

_SMALL = 30


def _size(n: int) -> str:
    return f" With n = {n} this is a small sample." if n < _SMALL else ""


def from_correlation(result: Result, rows: int) -> Iterator[Draft]:
    """One for each pair, by Pearson; by Spearman where the two disagree by more than 0.2."""
    for pair in result["pairs"]:
        pearson, spearman = pair["pearson"], pair["spearman"]
        if pearson["r"] is None:
            continue
        bent = abs(spearman["r"] - pearson["r"]) > 0.2
        name, chosen = ("Spearman ρ", spearman) if bent else ("Pearson r", pearson)
        p = chosen["p_adjusted"]
        found = p < SIGNIFICANT
        x, y, n = pair["x"], pair["y"], pair["n"]
        size = f"{name} = {number(chosen['r'], 3)}, {interval(chosen['ci_low'], chosen['ci_high'])}"
        by = "" if chosen["p_method"] == "t" else " by permutation"
        figures = f"{size}, Holm-adjusted {p_value(p)}{by}, n = {n}"
        if found:
            way = "rise together" if chosen["r"] > 0 else "move in opposite directions"
            text = f"{x} and {y} {way} ({figures}). This is an association and does not show a cause.{_size(n)}"
        else:
            text = f"No clear association of {x} and {y} was found ({figures}).{_size(n)}"
        if bent:
            text += " Ranks and values disagree, so the relation is not a straight line or has outliers."
        yield Draft(
            text,
            {"method": name, "n": n, **chosen},
            abs(chosen["r"]),
            confidence(p, n, n / rows, len(pair["warnings"]) + bent),
            (x, y),
            "correlation",
            found,
        )


def from_compare_groups(result: Result, rows: int) -> Iterator[Draft]:
    """With three levels or more one for all of them together; one for each pair, by the preferred test."""
    if (whole := overall(result, rows)) is not None:
        yield whole
    groups = {group["level"]: group for group in result["groups"]}
    used = sum(group["n"] for group in result["groups"]) / rows
    wording = _by_means if result["preferred"] == "welch" else _by_ranks
    for pair in result["pairs"]:
        test = pair[result["preferred"]]
        if test is None:
            continue
        a, b = groups[pair["a"]], groups[pair["b"]]
        n, p = a["n"] + b["n"], test["p_adjusted"]
        found = p < SIGNIFICANT
        text, effect = wording(result, test, a, b, found=found)
        text += " Groups that were not assigned at random may differ for other reasons." if found else ""
        yield Draft(
            text + _size(n),
            {"test": result["preferred"], "a": pair["a"], "b": pair["b"], **test},
            effect,
            confidence(p, n, used, doubts_of(result)),
            (result["response"], result["group"]),
            "compare_groups",
            found,
        )


def _by_means(result: Result, test: Result, a: Result, b: Result, *, found: bool) -> tuple[str, float]:
    """The sentence and the effect: the correlation that the standardised difference amounts to."""
    response, group, size = result["response"], result["group"], abs(test["hedges_g"])
    low, high = test["ci_low"], test["ci_high"]
    if found:
        low, high = sorted((abs(low), abs(high)))
    figures = (
        f"{interval(low, high)}, Hedges' g = {number(size, 3)}, Welch t({number(test['df'], 3)}) = "
        f"{number(abs(test['t']), 3)}, Holm-adjusted {p_value(test['p_adjusted'])}"
    )
    if found:
        upper, lower = [
            f"{entry['level']} ({number(entry['mean'])}, n = {entry['n']})"
            for entry in ((a, b) if test["difference"] > 0 else (b, a))
        ]
        text = f"Mean {response} is higher for {group} {upper} than for {lower}: "
        text += f"difference {number(abs(test['difference']))}, {figures}."
    else:
        text = f"No clear difference of mean {response} between {group} {a['level']} and {b['level']} was found: "
        text += f"difference {number(test['difference'])}, {figures}."
    return text, float(size / (size * size + 4) ** 0.5)


def _by_ranks(result: Result, test: Result, a: Result, b: Result, *, found: bool) -> tuple[str, float]:
    """The sentence and the effect: the rank-biserial correlation."""
    share, low, high = test["superiority"], test["ci_low"], test["ci_high"]
    if share < 0.5:
        a, b, share, low, high = b, a, 1 - share, 1 - high, 1 - low
    first, second = (f"{entry['level']} (median {number(entry['median'])}, n = {entry['n']})" for entry in (a, b))
    lead = "A value of" if found else "No clear difference was found: a value of"
    text = (
        f"{lead} {result['response']} from {result['group']} {first} is above one from {second} with probability "
        f"{number(share, 3)}, {interval(low, high)}, Mann–Whitney U = {number(test['u'])}, Holm-adjusted "
        f"{p_value(test['p_adjusted'])}."
    )
    return text, abs(2 * share - 1)


def from_anova(result: Result, rows: int) -> Iterator[Draft]:
    """The overall difference between the groups, by the test that the checks advise."""
    advised = result["advice"].split(":")[0]
    welch, kruskal = result["welch"], result["kruskal_wallis"]
    if advised == "kruskal_wallis" and kruskal is not None:
        p, test = kruskal["p"], f"Kruskal–Wallis H = {number(kruskal['h'], 3)}"
    elif advised == "welch" and welch is not None:
        p, test = welch["p"], f"Welch F({number(welch['df1'], 3)}, {number(welch['df2'], 3)}) = {number(welch['f'], 3)}"
    elif result["f"] is not None:
        p, test = result["p"], f"F({result['df_between']}, {result['df_within']}) = {number(result['f'], 4)}"
    else:
        return
    share = result["eta_squared"] or 0.0
    found = p < SIGNIFICANT
    response, group = result["response"], result["group"]
    lead = (
        f"{response} differs between the levels of {group}"
        if found
        else f"No clear difference of {response} between the levels of {group} was found"
    )
    text = (
        f"{lead}: {test}, {p_value(p)}; {group} accounts for {number(100 * share, 3)} % of the variance "
        f"(η², ω² = {number(result['omega_squared'], 3)}), n = {result['n']}."
    )
    numbers = {key: result[key] for key in ("f", "p", "eta_squared", "omega_squared", "n")} | {
        "p_advised": p,
        "test": advised,
    }
    doubts = doubts_of(result)
    yield Draft(
        text,
        numbers,
        share**0.5,
        confidence(p, result["n"], result["n"] / rows, doubts),
        (response, group),
        "anova",
        found,
    )


def from_contingency(result: Result, rows: int) -> Iterator[Draft]:
    """Whether the two categories go together."""
    exact = result["preferred"] == "fisher"
    p = result["fisher_p"] if exact else result["p"]
    found = p < SIGNIFICANT
    v = result["cramers_v"]
    test = "Fisher's exact test" if exact else f"χ²({result['df']}) = {number(result['chi2'], 3)}"
    row, column, n = result["row"], result["column"], result["n"]
    lead = f"{row} and {column} go together" if found else f"No clear association of {row} and {column} was found"
    text = (
        f"{lead}: Cramér's V = {number(v, 3)}, {interval(result['cramers_v_ci_low'], result['cramers_v_ci_high'])}, "
        f"{test}, {p_value(p)}, n = {n}."
    )
    if result["odds_ratio"] is not None:
        limits = interval(result["odds_ratio_ci_low"], result["odds_ratio_ci_high"])
        text += f" The odds ratio is {number(result['odds_ratio'], 3)} ({limits})."
    numbers = {
        key: result[key] for key in ("chi2", "df", "p", "cramers_v", "cramers_v_ci_low", "cramers_v_ci_high", "n")
    }
    yield Draft(
        text + _size(n),
        numbers,
        v,
        confidence(p, n, n / rows, doubts_of(result)),
        (row, column),
        "contingency",
        found,
    )


def from_trend(result: Result, rows: int) -> Iterator[Draft]:
    """Rise or fall over time."""
    p, n = result["p"], result["n"]
    found = p < SIGNIFICANT
    response, time = result["response"], result["time"] or "the order of rows"
    exact = "exact " if result["p_method"] == "exact" else ""
    figures = (
        f"Theil–Sen slope {number(result['slope'])} per {result['time_unit']}, "
        f"{interval(result['ci_low'], result['ci_high'])}, "
        f"Kendall τ = {number(result['tau'], 3)}, {exact}Mann–Kendall {p_value(p)}, n = {n}"
    )
    columns = (response,) if result["time"] is None else (response, result["time"])
    text = (
        f"{response} is {result['direction']} over {time} ({figures})."
        if found
        else f"No clear trend of {response} over {time} was found ({figures})."
    )
    if result["residual_autocorrelation_lag1"] is not None and any(
        "alike" in warning for warning in result["warnings"]
    ):
        text += " Neighbouring values are not independent, so this is less certain than p says."
    numbers = {key: result[key] for key in ("slope", "ci_low", "ci_high", "tau", "p", "n", "time_unit")}
    yield Draft(
        text + _size(n),
        numbers,
        abs(result["tau"] or 0.0),
        confidence(p, n, min(1.0, n / rows), doubts_of(result)),
        columns,
        "trend",
        found,
    )


def from_hypotheses(result: Result, rows: int) -> Iterator[Draft]:
    """Each verdict."""
    for item in result["hypotheses"]:
        if item["p"] is None:
            continue
        effect = item["effect"]
        size = abs(effect["value"])
        if effect["name"] == "Hedges' g":
            size = size / (size * size + 4) ** 0.5
        elif effect["name"] == "probability of superiority":
            size = abs(2 * effect["value"] - 1)
        elif effect["name"] == "η²":
            size = size**0.5
        elif item["kind"] == "trend":
            size = 0.5  # a slope has no scale of its own
        fields = ("x", "y", "response", "group", "row", "column", "time")
        columns = tuple(item[field] for field in fields if field in item)
        numbers = {**effect, "p": item["p"], "p_adjusted": item["p_adjusted"], "n": item["n"], "test": item["test"]}
        sure = confidence(item["p_adjusted"], item["n"], min(1.0, item["n"] / rows), doubts_of(item))
        yield Draft(item["verdict"], numbers, size, sure, columns, "hypotheses", item["supported"])
