"""What every test of a hypothesis hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.engines.analysis.numerics.normality import normality
from worker.engines.analysis.tasks.task import Result

Smallest = Callable[[float], float | None]
"""The smallest effect found in four of five cases, by the level of the test."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A test's outcome. `strength` is the effect's size on a scale from 0 to 1; `null` and `statement` are left empty
    where the words of the hypothesis say enough."""

    test: str
    n: int
    effect: Result
    p: float
    strength: float
    checks: Result = field(default_factory=dict)
    warnings: Sequence[str] = ()
    smallest: Smallest | None = None


def effect_of(name: str, block: Mapping[str, Any], value: str, low: str = "ci_low", high: str = "ci_high") -> Result:
    """An effect from a result's keys."""
    return {"name": name, "value": block[value], "ci_low": block[low], "ci_high": block[high]}


def directed(p: float, sign: float, direction: str | None) -> float:
    """The one-sided p of a two-sided one, for an effect of that sign; `p` itself without a direction."""
    if direction is None:
        return p
    return p / 2 if (sign > 0) == (direction == "greater") and sign != 0 else 1 - p / 2


def normal_check(values: Any) -> Result | None:
    """The check of normality, as the assumptions of a result hold it."""
    found = normality(values)
    return None if found is None else {"test": found.test, "statistic": found.statistic, "p": found.p}
