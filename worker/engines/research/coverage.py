"""How much of what was asked a piece of text holds."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from worker.engines.research.model import Plan, Term

FULL_COVERAGE_TERMS = 8
"""A long prompt counts as covered by the weight of its eight weightiest terms: no passage can hold forty."""


def importance(terms: Sequence[Term], units: Iterable[Collection[str]]) -> dict[str, float]:
    """Weight of each of the prompt's stems: √weight in the prompt × (1 + ln(1 + (N + 1) / (1 + n))), for N units of
    text of which n hold the stem. A term that no unit holds weighs most, so that what is missing shows."""
    count = 0
    frequency = dict.fromkeys((term.stem for term in terms), 0)
    for unit in units:
        count += 1
        for stem in frequency:
            if stem in unit:
                frequency[stem] += 1
    return {
        term.stem: round(math.sqrt(term.weight) * (1 + math.log1p((count + 1) / (1 + frequency[term.stem]))), 6)
        for term in terms
    }


def coverage(stems: Collection[str], weights: Mapping[str, float], among: Sequence[str] | None = None) -> float:
    """Weighted share (0..1) of the prompt's stems, or of those `among` them, that are found in `stems`."""
    asked = list(weights) if among is None else [stem for stem in among if stem in weights]
    heaviest = sorted((weights[stem] for stem in asked), reverse=True)[:FULL_COVERAGE_TERMS]
    full = sum(heaviest)
    if not full:
        return 0.0
    return round(min(1.0, sum(weights[stem] for stem in asked if stem in stems) / full), 6)


def weights_of(plan: Plan, stored: Mapping[str, float]) -> dict[str, float]:
    """Weights as stored, in the order of the plan: storage need not keep the order of an object's keys."""
    return {term.stem: float(stored[term.stem]) for term in plan.terms if term.stem in stored}
