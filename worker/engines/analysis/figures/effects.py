"""Hypotheses: effects of one measure beneath each other, with their intervals."""

from __future__ import annotations

from typing import Any

from worker.engines.analysis.figures.intervals import Estimate, forest
from worker.engines.analysis.figures.spec import Figure
from worker.engines.analysis.table import Table

Result = dict[str, Any]

_NONE_AT = {"probability of superiority": 0.5, "odds ratio": 1.0, "rate ratio": 1.0}
_FEWEST = 2


def hypotheses(_: Table, result: Result) -> list[Figure]:
    """A figure for each measure of effect that two hypotheses or more share, the commonest first."""
    by_measure: dict[str, list[Estimate]] = {}
    for item in result["hypotheses"]:
        effect = item["effect"]
        if effect is None or effect["value"] is None or item["kind"] == "trend":
            continue
        estimate = Estimate(
            item["statement"], effect["value"], effect["ci_low"], effect["ci_high"], bool(item["supported"])
        )
        by_measure.setdefault(effect["name"], []).append(estimate)
    figures = []
    for measure, estimates in sorted(by_measure.items(), key=lambda entry: -len(entry[1])):
        if len(estimates) < _FEWEST:
            continue
        ordered = sorted(estimates, key=lambda estimate: (not estimate.filled, -abs(estimate.value)))
        title = f"Effects tested: {measure} (filled: supported)"
        said = f"Filled are the {sum(e.filled for e in estimates)} that the data support after adjustment."
        figures.append(forest(title, measure, ordered, none_at=_NONE_AT.get(measure, 0.0), filled=said, wide=44))
    return figures
