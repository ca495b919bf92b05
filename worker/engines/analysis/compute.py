"""One task on one table: its result, table and figure, as strict JSON. Runs off the event loop."""

from __future__ import annotations

import json
from typing import Any

from worker.engines.analysis.canonical import content_id, strict
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.figures.choice import draw
from worker.engines.analysis.figures.spec import MAX_SPEC_BYTES, MEDIA_TYPE
from worker.engines.analysis.planning import Planned
from worker.engines.analysis.table import Table
from worker.engines.analysis.tables import table_of
from worker.engines.analysis.tasks.conditions import part_of
from worker.engines.analysis.tasks.registry import run_task

JSON = Any


def compute(table: Table, planned: Planned) -> JSON:
    """``{entry, table, figures}``; the table may be None, the first figure is the main one.

    What the data cannot answer has ``not_possible`` with the reason in its result. Raises
    :class:`AnalysisError` for a request that does not fit the table.
    """
    task = planned.task
    if planned.unfit:
        return without_result(table.name, planned, "not_possible", planned.unfit)
    try:
        result = run_task(table, task)
    except NotPossible as reason:
        return without_result(table.name, planned, "not_possible", str(reason))
    except AnalysisError as error:
        if task.path.startswith("preferences."):
            raise
        return without_result(table.name, planned, "not_possible", f"{task.kind} could not be done: {error}")
    result, lost = strict(result)
    if lost:
        result["warnings"] = [*result.get("warnings", []), f"not finite, so left empty: {', '.join(lost)}"]
    shown = table_of(task.kind, result)
    if shown is not None:
        shown = {"id": content_id("table", table.name, shown), **shown}
    drawn = part_of(table, task)[0] if "kept" in result else table
    return {"entry": _entry(table.name, planned, result), "table": shown, "figures": _figures(drawn, task.kind, result)}


def without_result(dataset: str, planned: Planned, key: str, reason: str) -> JSON:
    """What stands in the place of a task that gave nothing (`key` is ``not_possible`` or ``skipped``)."""
    return {"entry": _entry(dataset, planned, {key: reason, "warnings": [reason]}), "table": None, "figures": []}


def _figures(table: Table, kind: str, result: JSON) -> list[JSON]:
    drawn = []
    for figure in draw(table, kind, result):
        spec, _ = strict(figure.spec)
        # Long names can make a drawing of many categories heavy; the table says the same.
        if len(json.dumps(spec, ensure_ascii=False).encode()) > MAX_SPEC_BYTES:
            continue
        content = {"title": figure.title, "alt": figure.alt, "spec": spec, "media_type": MEDIA_TYPE}
        drawn.append({"id": content_id("figure", content), **content})
    return drawn


def _entry(dataset: str, planned: Planned, result: JSON) -> JSON:
    request, _ = strict(dict(planned.task.arguments))
    return {
        "kind": planned.task.kind,
        "dataset": dataset,
        "request": request,
        "asked": planned.asked,
        "why": planned.why,
        "result": result,
    }
