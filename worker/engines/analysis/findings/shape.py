"""Findings on the shape of columns and on values far from the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.draft import Draft, confidence
from worker.engines.analysis.wording import listed, number, p_value, plural

Result = dict[str, Any]

_SURE = 0.05
_TESTS = {"shapiro_wilk": "Shapiro–Wilk", "anderson_darling": "Anderson–Darling"}
_NAMES = {"negative_binomial": "negative binomial", "poisson": "Poisson", "weibull": "Weibull"}
_SKEWED = 0.5


def from_distribution(result: Result, rows: int) -> Iterator[Draft]:
    """Each column's shape, whether it could be normal, and what describes it best."""
    for entry in result["columns"]:
        if entry["normality"] is None:
            continue
        name, n, skewness = entry["name"], entry["n"], entry["skewness"]
        test = entry["normality"]
        odd = test["p_adjusted"] < _SURE
        figures = f"{_TESTS[test['test']]} {p_value(test['p_adjusted'])}, Holm-adjusted"
        text = f"{name} is not normally distributed" if odd else f"{name} shows no departure from a normal distribution"
        text += f" ({figures}; skewness {number(skewness, 3)}, excess kurtosis {number(entry['excess_kurtosis'], 3)}, "
        text += f"n = {n})"
        if abs(skewness) > _SKEWED and odd:
            text += f"; its tail is longer on the {'right' if skewness > 0 else 'left'}"
        text += f". {_described(entry)}"
        numbers = {
            "skewness": skewness, "excess_kurtosis": entry["excess_kurtosis"], "n": n, "best": entry["best"],
            "p": test["p"], "p_adjusted": test["p_adjusted"],
        }  # fmt: skip
        sure = confidence(None, n, n / rows, len(entry["warnings"]))
        yield Draft(text, numbers, min(1.0, abs(skewness) / 4), sure, (name,), "distribution", established=True)


def _described(entry: Result) -> str:
    found = {candidate["name"]: candidate for candidate in entry["candidates"]}
    best = found.get(entry["best"])
    if best is None:
        return "No usual distribution could be fitted."
    named = _NAMES.get(best["name"], best["name"])
    fitted = listed([f"{key.replace('_', ' ')} {number(value, 3)}" for key, value in best["parameters"].items()])
    p = best["goodness"]["p"]
    if p < _SURE:
        closest = f"the closest is the {named} one ({fitted}, fit {p_value(p)})"
        return f"None of the usual distributions describes it; {closest}."
    others = [_NAMES.get(name, name) for name in entry["plausible"] if name != best["name"]]
    also = f"; the data do not rule out {listed(others)} either" if others else ""
    return f"A {named} distribution ({fitted}) describes it: the fit is not contradicted ({p_value(p)}){also}."


def from_outliers(result: Result, rows: int) -> Iterator[Draft]:
    """Each column with values far from the others, and the rows of the farthest."""
    for entry in result["columns"]:
        count, n = entry["outside"], entry["n"]
        if not entry["rows"]:
            continue
        name, esd = entry["name"], entry["esd"]
        parts = []
        if count:
            parts.append(
                f"{plural(count, 'value')} of {n} beyond Tukey's fences ({number(entry['fences']['low'])} to "
                f"{number(entry['fences']['high'])}; about {number(entry['expected_outside'], 2)} would be if the "
                "values were normal)"
            )
        if entry["robust"]:
            parts.append(
                f"{entry['robust']} more than {result['robust_limit']} robust standard deviations from the median"
            )
        if esd is not None:
            scale = " on the scale of logarithms" if esd["scale"] == "logarithms" else ""
            test = "Grubbs's test" if esd["test"] == "grubbs" else "the generalised ESD test"
            parts.append(f"{test}{scale} finds {esd['found'] or 'none'} (5 %, corrected)")
        shown = [
            f"{number(row['value'])} in row {row['row']}" + (f" ({row['label']})" if "label" in row else "")
            for row in entry["rows"][:5]
        ]
        more = ", the farthest of them" if len(entry["rows"]) > len(shown) else ""
        text = f"{name} has values far from the others: {'; '.join(parts)}. They are {listed(shown)}{more}. "
        text += "That makes them unusual, not wrong."
        numbers = {key: entry[key] for key in ("outside", "far_out", "robust", "expected_outside", "n")}
        share = min(1.0, 10 * max(count, entry["robust"]) / n)
        sure = confidence(None, n, n / rows, entry["note"] is not None)
        yield Draft(text, numbers, share, sure, (name,), "outliers", established=True)
    if result["columns"] and not any(entry["rows"] for entry in result["columns"]):
        names = [entry["name"] for entry in result["columns"]]
        text = f"No value far from the others was found in {listed(names)} (Tukey's fences, robust z-values, ESD test)."
        yield Draft(
            text, {"outside": 0}, 0.0, confidence(None, rows, 1.0, 0), tuple(names), "outliers", established=True
        )
