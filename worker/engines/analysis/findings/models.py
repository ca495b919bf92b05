"""Findings from descriptions, regressions and curve fits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft, confidence, doubts_of
from worker.engines.analysis.findings.generalised import from_generalised
from worker.engines.analysis.numerics.distributions import holm
from worker.engines.analysis.wording import factor_name, interval, listed, number, p_value, plural, term_name

Result = dict[str, Any]

_INTERCEPT = "Intercept"


def from_describe(result: Result, rows: int) -> Iterator[Draft]:
    """Centre and spread of each numeric column; those that only number the rows come last, and are said to."""
    for column in sorted(result["columns"], key=lambda column: bool(column.get("identifier"))):
        if column.get("mean") is None:
            continue
        if column.get("identifier"):
            yield _identifier(column, rows)
            continue
        name, n = column["name"], column["n"]
        unit = f" {column['unit']}" if column["unit"] else ""
        text = f"{name} has a mean of {number(column['mean'])}{unit}"
        if column["ci_low"] is not None:
            text += f" ({interval(column['ci_low'], column['ci_high'])})"
        text += f", standard deviation {number(column['sd'])}, median {number(column['median'])}, "
        text += f"range {number(column['min'])} to {number(column['max'])}, n = {n}"
        text += f", {column['missing']} missing." if column["missing"] else "."
        numbers = {
            key: column[key] for key in ("mean", "ci_low", "ci_high", "sd", "median", "min", "max", "n", "missing")
        }
        sure = confidence(None, n, n / rows, len(column["warnings"]))
        yield Draft(text, numbers, 0.0, sure, (name,), "describe", established=True)


def _identifier(column: Result, rows: int) -> Draft:
    name, n, distinct = column["name"], column["n"], column["distinct"]
    text = f"{name} names or numbers the rows ({plural(distinct, 'different value')} in {plural(n, 'row')}), so it is "
    text += "not taken for a measure."
    numbers = {"n": n, "distinct": distinct, "missing": column["missing"]}
    return Draft(text, numbers, 0.0, confidence(None, n, n / rows, 0), (name,), "describe", established=True)


def from_regression(result: Result, rows: int) -> Iterator[Draft]:
    """The whole model, then each term that stands out (Holm over the terms)."""
    if result["family"] != "gaussian":
        yield from from_generalised(result, rows)
        return
    n, share = result["n"], result["n"] / rows
    doubts = doubts_of(result)
    response = result["response"]
    r2 = result["r_squared"]
    names = [term["name"] for term in result["terms"] if term["name"] != _INTERCEPT]
    about = (response, *names)
    factors = list(dict.fromkeys(map(factor_name, names)))
    if names and r2 is not None and result["p"] is not None:
        found = result["p"] < SIGNIFICANT
        lead = "together account for" if len(factors) > 1 else "accounts for"
        text = (
            f"{listed(factors)} {lead} {number(100 * r2, 3)} % of the variance of {response} in a least-squares model "
            f"(adjusted R² = {number(result['r_squared_adjusted'], 3)}, F({result['df_model']}, "
            f"{result['df_residual']}) = {number(result['f'])}, {p_value(result['p'])}, residual standard deviation "
            f"{number(result['residual_sd'])}, n = {n})."
        )
        numbers = {key: result[key] for key in ("r_squared", "r_squared_adjusted", "f", "p", "residual_sd", "n")}
        effect = math.sqrt(max(0.0, result["r_squared_adjusted"] or 0.0))
        yield Draft(text, numbers, effect, confidence(result["p"], n, share, doubts), about, "regression", found)
    elif names and r2 is not None and result["ss_residual"] == 0 and result["df_residual"] > 0:
        text = f"{response} follows exactly from {listed(factors)} in all {n} rows: the model leaves no residual."
        yield Draft(text, {"r_squared": r2, "n": n}, 1.0, confidence(None, n, share, 1), about, "regression", True)
    tested = [term for term in result["terms"] if term["name"] != _INTERCEPT and term["p"] is not None]
    for term, p in zip(tested, holm([term["p"] for term in tested]), strict=True):
        yield _term(term, p, result, share, doubts, others=len(names) - 1)


def _term(term: Result, p: float, result: Result, share: float, doubts: int, *, others: int) -> Draft:
    found = p < SIGNIFICANT
    name, response, n = term["name"], result["response"], result["n"]
    held = " with the other terms held fixed" if others else ""
    figures = f"{interval(term['ci_low'], term['ci_high'])}, t({result['df_residual']}) = {number(term['t'], 3)}, "
    figures += f"{'Holm-adjusted ' if others else ''}{p_value(p)}"
    shown, first = term_name(name), result["references"].get(name)
    if first is not None:
        shown += f" (against {first})"
    if found and first is not None:
        direction = "higher" if term["estimate"] > 0 else "lower"
        size = f"{number(abs(term['estimate']))} {direction}"
        text = f"{response} is {size} for {term_name(name)} than for {first}{held} ({figures})."
    elif found:
        change = f"a change of {number(term['estimate'])} in {response}{held}"
        text = f"One more unit of {shown} goes with {change} ({figures})."
    else:
        figures = f"estimate {number(term['estimate'])}, {figures}"
        text = f"No clear contribution of {shown} to {response}{held} was found ({figures})."
    if found:
        text += " This describes the data and is no proof of a cause."
    # The partial correlation that a t amounts to.
    effect = abs(term["t"]) / math.sqrt(term["t"] ** 2 + result["df_residual"])
    numbers = {key: term[key] for key in ("estimate", "std_error", "ci_low", "ci_high", "t", "p")} | {
        "p_adjusted": p,
        "n": n,
    }
    return Draft(text, numbers, effect, confidence(p, n, share, doubts), (response, name), "regression", found)


def from_curve_fit(result: Result, rows: int) -> Iterator[Draft]:
    """The fitted curve and its parameters."""
    n = result["n"]
    if not result["converged"]:
        return
    shown = [
        f"{p['name']} = {number(p['estimate'], 6)}"
        + ("" if p["ci_low"] is None else f" ({interval(p['ci_low'], p['ci_high'])})")
        for p in result["parameters"]
    ]
    r2 = result["r_squared"]
    text = (
        f"The curve {result['formula']} fits {result['response']} with {listed(shown, 12)}; residual standard "
        f"deviation {number(result['residual_sd'])}, n = {n}."
    )
    if r2 is not None:
        text += f" It accounts for {number(100 * r2, 4)} % of the variance."
    numbers: Result = {p["name"]: p["estimate"] for p in result["parameters"]}
    numbers |= {"residual_sd": result["residual_sd"], "r_squared": r2, "n": n}
    effect = math.sqrt(min(1.0, max(0.0, r2 or 0.0)))
    sure = confidence(None, n, n / rows, doubts_of(result))
    yield Draft(text, numbers, effect, sure, (result["response"],), "curve_fit", established=True)
