"""Findings from correlations, group comparisons, contingency tables, analyses of variance and trends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.all_groups import overall
from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft, confidence, doubts_of
from worker.engines.analysis.findings.paired import from_paired
from worker.engines.analysis.tasks.hypothesis_forms import COLUMN_FIELDS
from worker.engines.analysis.wording import interval, listed, number, p_value

Result = dict[str, Any]

_SMALL = 30
_SHOWN = 6


def _size(n: int) -> str:
    return f" With n = {n} this is a small sample." if n < _SMALL else ""


def from_correlation(result: Result, rows: int) -> Iterator[Draft]:
    """One for each pair, by Pearson; by Spearman where the two disagree by more than 0.2."""
    for pair in result["pairs"]:
        if result.get("control") and len(result["pairs"]) == 1:
            yield from _held_fixed(result, pair, rows)
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
        text += _partial(result, pair)
        yield Draft(
            text,
            {"method": name, "n": n, **chosen},
            abs(chosen["r"]),
            confidence(p, n, n / rows, len(pair["warnings"]) + bent),
            (x, y),
            "correlation",
            found,
        )


def _held_fixed(result: Result, pair: Result, rows: int) -> Iterator[Draft]:
    """The one pair that is asked about, with other columns held fixed."""
    left = pair.get("partial", {}).get("pearson")
    if left is None or left["r"] is None:
        return
    found = left["p"] < SIGNIFICANT
    x, y, held, n = pair["x"], pair["y"], listed(result["control"]), pair["partial"].get("n", pair["n"])
    limits = interval(left["ci_low"], left["ci_high"])
    size = f"partial r = {number(left['r'], 3)}, {limits}, {p_value(left['p'])}, n = {n}"
    if found:
        way = "rise together" if left["r"] > 0 else "move in opposite directions"
        text = f"With {held} held fixed, {x} and {y} {way} ({size}). This is an association and does not show a cause."
    else:
        text = f"With {held} held fixed, no clear association of {x} and {y} was found ({size})."
    if pair["pearson"]["r"] is not None:
        text += f" Without that r = {number(pair['pearson']['r'], 3)}."
    numbers = {"held_fixed": list(result["control"]), "method": "partial r", "n": n, **left}
    sure = confidence(left["p"], n, n / rows, len(pair["warnings"]))
    yield Draft(text + _size(n), numbers, abs(left["r"]), sure, (x, y), "correlation", found, whole=True)


def _partial(result: Result, pair: Result) -> str:
    """What is left of the correlation with other columns held fixed."""
    if "partial" not in pair or pair["partial"]["pearson"]["r"] is None:
        return ""
    left = pair["partial"]["pearson"]
    limits = interval(left["ci_low"], left["ci_high"])
    held = listed(result["control"])
    return (
        f" With {held} held fixed r = {number(left['r'], 3)} ({limits}, Holm-adjusted {p_value(left['p_adjusted'])})."
    )


def from_compare_groups(result: Result, rows: int) -> Iterator[Draft]:
    """With three levels or more one for all of them together; one for each pair, by the preferred test."""
    if result.get("design") == "paired":
        yield from from_paired(result, rows)
        return
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
    name = "Fisher's exact test" if result["fisher_method"] == "exact" else "Fisher's test over random tables"
    test = name if exact else f"χ²({result['df']}) = {number(result['chi2'], 3)}"
    row, column, n = result["row"], result["column"], result["n"]
    lead = f"{row} and {column} go together" if found else f"No clear association of {row} and {column} was found"
    text = (
        f"{lead}: Cramér's V = {number(v, 3)}, {interval(result['cramers_v_ci_low'], result['cramers_v_ci_high'])}, "
        f"{test}, {p_value(p)}, n = {n}."
    )
    if result["odds_ratio"] is not None:
        limits = interval(result["odds_ratio_ci_low"], result["odds_ratio_ci_high"])
        text += f" The odds ratio is {number(result['odds_ratio'], 3)} ({limits})."
    text += _ordered(result)
    shares = _shares(result)
    if shares is not None:
        text += f" {shares}"
    elif found:
        text += _foremost(result)
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


def _ordered(result: Result) -> str:
    """What the order of the levels adds."""
    trend, gamma = result["trend"], result["gamma"]
    if trend is not None:
        way = "rises" if trend["slope"] > 0 else "falls"
        lead = f"The share of {trend['of']} {way} with the order of the levels"
        if trend["p"] >= SIGNIFICANT:
            lead = f"No clear rise or fall of the share of {trend['of']} with the order of the levels was found"
        return f" {lead} (Cochran–Armitage z = {number(trend['z'], 3)}, {p_value(trend['p'])})."
    if gamma is None:
        return ""
    limits = interval(gamma["ci_low"], gamma["ci_high"])
    return f" Along the order of the levels γ = {number(gamma['gamma'], 3)} ({limits}, {p_value(gamma['p'])})."


def _shares(result: Result) -> str | None:
    """The share of one of two levels within each level of the other column; None where neither has two."""
    counts, two, other = result["counts"], "row", "column"
    if len(result["row_levels"]) == 2:
        counts = [list(line) for line in zip(*counts, strict=True)]
    elif len(result["column_levels"]) == 2:
        two, other = "column", "row"
    else:
        return None
    parts = [
        f"{level} {number(100 * pair[1] / sum(pair), 3)} % of {sum(pair):,}"
        for level, pair in zip(result[f"{other}_levels"], counts, strict=True)
        if sum(pair)
    ]
    return f"The share of {result[two]} {result[f'{two}_levels'][1]} by {result[other]}: {listed(parts, _SHOWN)}."


def _foremost(result: Result) -> str:
    """The cell that stands out most."""
    cells = [(abs(value), value, i, j) for i, line in enumerate(result["residuals"]) for j, value in enumerate(line)]
    size, value, i, j = max(cells, key=lambda cell: (round(cell[0], 9), -cell[2], -cell[3]))
    if size < 2:
        return ""
    more = "more" if value > 0 else "less"
    pair = f"{result['row']} {result['row_levels'][i]} with {result['column']} {result['column_levels'][j]}"
    return (
        f" Most of all, {pair} occurs {more} often than independence would give (adjusted residual {number(value, 3)})."
    )


def from_hypotheses(result: Result, rows: int) -> Iterator[Draft]:
    """Each verdict."""
    for item in result["hypotheses"]:
        if item["p"] is None:
            continue
        effect = item["effect"]
        columns = tuple(item[field] for field in COLUMN_FIELDS if isinstance(item.get(field), str))
        numbers = {**effect, "p": item["p"], "p_adjusted": item["p_adjusted"], "n": item["n"], "test": item["test"]}
        sure = confidence(item["p_adjusted"], item["n"], min(1.0, item["n"] / rows), doubts_of(item))
        yield Draft(item["verdict"], numbers, item["strength"], sure, columns, "hypotheses", item["supported"])
