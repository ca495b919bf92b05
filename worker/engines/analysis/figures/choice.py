"""The right kind of figure for a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from worker.engines.analysis.figures import distributions, relations
from worker.engines.analysis.figures.spec import Figure
from worker.engines.analysis.table import Table

Drawer = Callable[[Table, dict[str, Any]], Figure | None]


def _first_distribution(table: Table, result: dict[str, Any]) -> Figure | None:
    for entry in result["columns"]:
        column = table[entry["name"]]
        if column.numeric and not column.identifier and (drawn := distributions.histogram(column)) is not None:
            return drawn
    return None


DRAWERS: Mapping[str, Drawer] = {
    "describe": _first_distribution,
    "correlation": relations.correlation,
    "regression": relations.regression,
    "curve_fit": relations.curve,
    "trend": relations.trend,
    "compare_groups": distributions.groups,
    "anova": distributions.groups,
    "contingency": distributions.contingency,
}


def draw(table: Table, kind: str, result: dict[str, Any]) -> Figure | None:
    """The figure for a task's result, or None where the kind has none or nothing can be shown."""
    drawer = DRAWERS.get(kind)
    return None if drawer is None else drawer(table, result)
