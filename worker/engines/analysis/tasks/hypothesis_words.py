"""Verdicts on hypotheses: what the data support, what they do not show, and what they leave possible."""

from __future__ import annotations

from collections.abc import Mapping

from worker.engines.analysis.tasks.task import Result
from worker.engines.analysis.wording import interval, number, p_value

CONTROLS: Mapping[str, str] = {
    "holm": "Holm: the chance that any hypothesis here is called supported although its null holds is at most 5 %.",
    "bh": "Benjamini–Hochberg: of the hypotheses called supported, at most 5 % are expected to be wrong, if the tests "
    "are independent or go together.",
    "none": "No adjustment: each hypothesis whose null holds has a chance of 5 % of being called supported, so among "
    "many some will be.",
}
_OPPOSITE = 0.975


def verdict_of(item: Result, adjustment: str) -> str:
    """One or two sentences on a hypothesis."""
    if item["p"] is None:
        if item["kind"] == "statement":
            return f"“{item['statement']}” cannot be tested: {' '.join(item['warnings'])}"
        return f"The data cannot answer whether {item['statement']}: {' '.join(item['warnings'])}"
    effect = item["effect"]
    figures = f"{effect['name']} = {number(effect['value'], 3)}, {interval(effect['ci_low'], effect['ci_high'])}"
    what = "unadjusted" if adjustment == "none" else "adjusted"
    figures += f", {what} {p_value(item['p_adjusted'])}, n = {item['n']}"
    if item["supported"]:
        caution = "this does not show why"
        if item["exploratory"]:
            caution += ", and the same data suggested it"
        return f"The data support that {item['statement']} ({figures}); {caution}."
    if item.get("direction") and item["p"] > _OPPOSITE:
        return f"The data do not show that {item['statement']} ({figures}); they point the other way."
    left = _left_open(item)
    return f"The data do not show that {item['statement']} ({figures}); {left}.{_detectable(item)}"


def _left_open(item: Result) -> str:
    effect = item["effect"]
    if effect["ci_low"] is None or effect["ci_high"] is None:
        return "how large an effect remains possible cannot be told"
    if item["kind"] == "equivalence":
        widest = max(abs(effect["ci90_low"]), abs(effect["ci90_high"]))
        return f"a difference of up to {number(widest, 3)} remains possible"
    return "effects within the interval remain possible"


def _detectable(item: Result) -> str:
    found = item["detectable"]
    if found is None:
        return ""
    least = number(found["effect"], 2)
    if item["kind"] in ("mean", "proportion"):
        what = f"a distance of {least} or more from {number(item['value'])}"
    elif item["effect"]["name"] == "probability of superiority":
        what = f"a probability of superiority of {least} or more, or of {number(1 - found['effect'], 2)} or less,"
    else:
        what = f"{item['effect']['name']} of {least} or more"
    return f" Data like these show {what} in four of five cases."
