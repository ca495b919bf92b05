"""The right kind of figure for a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from worker.engines.analysis.figures import (
    anomalies,
    categories,
    clusters,
    components,
    correlations,
    curves,
    distributions,
    effects,
    groups,
    linear,
    model_comparison,
    models,
    series,
)
from worker.engines.analysis.figures.spec import Figure
from worker.engines.analysis.table import Table

Drawer = Callable[[Table, dict[str, Any]], Figure | Sequence[Figure] | None]
"""From a table and a task's result to its figures; the first is the main one."""


def _described(table: Table, result: dict[str, Any]) -> Sequence[Figure]:
    entries = result["columns"]
    return [*distributions.histograms(table, entries), *categories.shares(table, entries)]


def _regression(table: Table, result: dict[str, Any]) -> Figure | Sequence[Figure] | None:
    return linear.regression(table, result) if result["family"] == "gaussian" else models.generalised(result)


def _outliers(table: Table, result: dict[str, Any]) -> Sequence[Figure]:
    return distributions.histograms(table, [entry for entry in result["columns"] if entry["rows"]])


DRAWERS: Mapping[str, Drawer] = {
    "profile": categories.missing,
    "describe": _described,
    "distribution": models.distributions,
    "outliers": _outliers,
    "correlation": correlations.correlation,
    "regression": _regression,
    "curve_fit": curves.curve,
    "trend": series.trend,
    "compare_groups": groups.groups,
    "anova": groups.groups,
    "contingency": categories.contingency,
    "hypotheses": effects.hypotheses,
    "cluster": clusters.clusters,
    "pca": components.principal,
    "anomalies": anomalies.anomalies,
    "compare_models": model_comparison.compared,
}


def draw(table: Table, kind: str, result: dict[str, Any]) -> Sequence[Figure]:
    """The figures for a task's result, the main one first; none where nothing can be shown."""
    drawer = DRAWERS.get(kind)
    drawn = None if drawer is None else drawer(table, result)
    if drawn is None:
        return ()
    return (drawn,) if isinstance(drawn, Figure) else tuple(drawn)
