"""Findings from logistic and Poisson regressions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft, confidence, doubts_of
from worker.engines.analysis.numerics.distributions import holm
from worker.engines.analysis.wording import factor_name, interval, listed, number, p_value, term_name

Result = dict[str, Any]

_INTERCEPT = "Intercept"
_INTERVALS = {"profile_likelihood": "by profile likelihood", "wald": "Wald's"}


def from_generalised(result: Result, rows: int) -> Iterator[Draft]:
    """The whole model, then each term that stands out (Holm over the terms), as ratios of odds or of rates."""
    names = [term["name"] for term in result["terms"] if term["name"] != _INTERCEPT]
    n, share, doubts = result["n"], result["n"] / rows, doubts_of(result)
    if names and result["p"] is not None:
        yield _whole(result, names, share, doubts)
    tested = [term for term in result["terms"] if term["name"] != _INTERCEPT and term["p"] is not None]
    for term, p in zip(tested, holm([term["p"] for term in tested]), strict=True):
        yield _term(term, p, result, confidence(p, n, share, doubts), others=len(names) - 1)


def _outcome(result: Result) -> str:
    """What the model is about, in words."""
    response = result["response"]
    return f"{response} being {result['event']}" if result["family"] == "binomial" else str(response)


def _whole(result: Result, names: list[str], share: float, doubts: int) -> Draft:
    found = result["p"] < SIGNIFICANT
    factors = listed(list(dict.fromkeys(map(factor_name, names))))
    n, pseudo = result["n"], result["pseudo_r_squared"]
    if result["f"] is None:
        test = f"likelihood ratio χ²({result['df_model']}) = {number(result['chi2'], 3)}"
    else:
        test = f"quasi-likelihood F({result['df_model']}, {result['df_residual']}) = {number(result['f'], 3)}"
    what = _outcome(result)
    several = len(set(map(factor_name, names))) > 1
    lead = f"{factors} {'help' if several else 'helps'} to predict {what}"
    if not found:
        lead = f"{factors} {'were' if several else 'was'} not found to predict {what}"
    if result["family"] == "binomial":
        auc = result["auc"]
        measure, effect = "Tjur's R²", pseudo.get("tjur")
        size = f"Tjur's R² = {number(effect, 3)}"
        if auc is not None:
            size += f", area under the ROC curve {number(auc['value'], 3)} ({interval(auc['ci_low'], auc['ci_high'])}"
            size += ", on the rows it was fitted to)"
        size += f", {result['events']} of {n} rows are {result['event']}"
    else:
        measure, effect = "deviance explained", pseudo.get("deviance_explained")
        size = f"{number(100 * (effect or 0.0), 3)} % of the deviance explained, n = {n}"
    name = "logistic" if result["family"] == "binomial" else "Poisson"
    text = f"{lead} in a {name} model ({test}, {p_value(result['p'])}; {size})."
    numbers = {"p": result["p"], "chi2": result["chi2"], "df": result["df_model"], measure: effect, "n": n}
    sure = confidence(result["p"], n, share, doubts)
    about = (result["response"], *names)
    return Draft(text, numbers, math.sqrt(min(1.0, max(0.0, effect or 0.0))), sure, about, "regression", found)


def _term(term: Result, p: float, result: Result, sure: float, *, others: int) -> Draft:
    found = p < SIGNIFICANT
    name, first = term["name"], result["references"].get(term["name"])
    odds = result["family"] == "binomial"
    what = f"the odds of {_outcome(result)}" if odds else f"the expected {result['response']}"
    held = " with the other terms held fixed" if others else ""
    kind = "odds ratio" if odds else "rate ratio"
    limits = f"{interval(term['ratio_ci_low'], term['ratio_ci_high'])} {_INTERVALS[result['interval']]}"
    if result["scatter"] == "quasi":
        limits = f"{interval(term['ratio_ci_low'], term['ratio_ci_high'])} by quasi-likelihood"
    if result["method"] == "firth":
        limits += ", Firth's estimate"
    figures = f"{limits}, {'Holm-adjusted ' if others else ''}{p_value(p)}"
    ratio = number(term["ratio"], 3)
    if found and first is not None:
        are, those = ("are", "those") if odds else ("is", "that")
        text = f"For {term_name(name)} {what} {are} {ratio} times {those} for {first}{held} ({figures})."
    elif found:
        text = f"One more unit of {term_name(name)} goes with {what} times {ratio}{held} ({figures})."
    else:
        text = f"No clear contribution of {term_name(name)} to {what}{held} was found ({kind} {ratio}, {figures})."
    if found:
        text += " This describes the data and is no proof of a cause."
    z = term["z"] or 0.0
    effect = min(1.0, abs(z) / math.sqrt(z * z + result["n"]))
    keys = ("estimate", "std_error", "ci_low", "ci_high", "ratio", "ratio_ci_low", "ratio_ci_high", "p")
    numbers = {key: term[key] for key in keys} | {"p_adjusted": p, "n": result["n"], "interval": result["interval"]}
    return Draft(text, numbers, effect, sure, (result["response"], name), "regression", found)
