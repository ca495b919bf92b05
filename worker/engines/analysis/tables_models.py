"""Tables of models, distributions, outliers, correlations, comparisons and trends."""

from __future__ import annotations

from typing import Any

from worker.engines.analysis.findings.calendar_words import slope_unit
from worker.engines.analysis.wording import term_name

Result = dict[str, Any]
Rows = tuple[str, list[str], list[list[Any]]]
"""Title, column headings, rows."""

_MOST = 40


def regression(result: Result) -> Rows:
    """Coefficients; of logistic and Poisson models with their ratios."""
    if result["family"] == "gaussian":
        keys = ["estimate", "std_error", "t", "p", "ci_low", "ci_high"]
        headings = ["term", "estimate", "std. error", "t", "p", "95 % low", "95 % high"]
        if any("hc3_std_error" in term for term in result["terms"]):
            keys += ["hc3_std_error", "hc3_p"]
            headings += ["HC3 error", "p (HC3)"]
        rows = [[term_name(term["name"]), *(term.get(key) for key in keys)] for term in result["terms"]]
        return f"Least-squares model {result['formula']}", headings, rows
    keys = ["estimate", "std_error", "z", "p", "ratio", "ratio_ci_low", "ratio_ci_high"]
    rows = [[term_name(term["name"]), *(term[key] for key in keys)] for term in result["terms"]]
    name, ratio = ("Logistic", "odds ratio") if result["family"] == "binomial" else ("Poisson", "rate ratio")
    statistic = "t" if result["scatter"] == "quasi" else "z"
    headings = ["term", "estimate", "std. error", statistic, "p", ratio, "95 % low", "95 % high"]
    return f"{name} model {result['formula']}", headings, rows


def distribution(result: Result) -> Rows:
    """Moments, normality and the best description of each column."""
    rows = []
    for entry in result["columns"]:
        test = entry["normality"] or {}
        fit = next((c["goodness"]["p"] for c in entry["candidates"] if c["name"] == entry["best"]), None)
        best = None if entry["best"] is None else entry["best"].replace("_", " ")
        rows.append(
            [entry["name"], entry["n"], entry["skewness"], entry["excess_kurtosis"], test.get("p_adjusted"), best, fit]
        )
    headings = [
        "column",
        "n",
        "skewness",
        "excess kurtosis",
        "p of normality (Holm)",
        "best description",
        "p of its fit",
    ]
    return "Shape of the distributions", headings, rows


def outliers(result: Result) -> Rows:
    """Values far from the others, with their rows."""
    rows = []
    for entry in result["columns"]:
        for row in entry["rows"]:
            tukey = None if row["tukey"] is None else row["tukey"].replace("_", " ")
            rows.append([entry["name"], row["row"], row.get("label"), row["value"], tukey, row["robust_z"], row["esd"]])
    headings = ["column", "row", "label", "value", "Tukey's fences", "robust z", "ESD test"]
    title = "Values far from the others"
    return title if len(rows) <= _MOST else f"{title}: the first {_MOST} of {len(rows)}", headings, rows[:_MOST]


def correlation(result: Result) -> Rows:
    """The strongest pairs; the title says where there are more."""
    known = [pair for pair in result["pairs"] if pair["pearson"]["r"] is not None]
    known.sort(key=lambda pair: -abs(pair["pearson"]["r"]))
    partial = "control" in result
    rows = []
    for p in known[:_MOST]:
        row = [p["x"], p["y"], p["n"], *(p["pearson"][k] for k in ("r", "ci_low", "ci_high", "p_adjusted"))]
        row += [p["spearman"]["r"], p["spearman"]["p_adjusted"], p["kendall"]["r"]]
        rows.append([*row, p["partial"]["pearson"]["r"], p["partial"]["pearson"]["p_adjusted"]] if partial else row)
    headings = [
        "x",
        "y",
        "n",
        "Pearson r",
        "95 % low",
        "95 % high",
        "p (Holm)",
        "Spearman ρ",
        "p of ρ (Holm)",
        "Kendall τ",
    ]
    if partial:
        headings += ["partial r", "p of partial r (Holm)"]
    title = "Correlations"
    if len(known) > _MOST:
        title += f": the {_MOST} strongest of {len(result['pairs'])} pairs"
    return title, headings, rows


def trend(result: Result) -> Rows:
    """The trend by each test, and what else was found."""
    corrected, season = result["corrected"], result["seasonality"]["found"]
    rows = [
        ["Mann–Kendall", result["n"], *(result[key] for key in ("slope", "ci_low", "ci_high", "tau", "p"))],
        [
            "with autocorrelation (Hamed–Rao)", result["n"], result["slope"], corrected["ci_low"], corrected["ci_high"],
            result["tau"], corrected["p"],
        ],
    ]  # fmt: skip
    if season is not None and season["seasonal_mann_kendall"] is not None:
        test = season["seasonal_mann_kendall"]
        rows.append(["within seasons", result["n"], test["slope"], test["ci_low"], test["ci_high"], None, test["p"]])
    per, times = slope_unit(result)
    for row in rows:
        row[2:5] = [value if value is None else value * times for value in row[2:5]]
    headings = ["test", "n", f"slope per {per}", "95 % low", "95 % high", "τ", "p"]
    return f"Trend of {result['response']}", headings, rows
