"""Short ways to a table and to a task's result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.analysis.reading.reader import read_table
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.registry import check_task, run_task


def table_of(columns: Mapping[str, Any]) -> Table:
    """A table from columns, by way of CSV."""
    lines = [",".join(columns)]
    lines += [
        ",".join("" if cell is None else str(cell) for cell in row) for row in zip(*columns.values(), strict=True)
    ]
    return read_table("data.csv", "\n".join(lines).encode()).table


def result_of(kind: str, data: Mapping[str, Any], /, **arguments: Any) -> dict[str, Any]:
    """The result of one task on a table of the columns `data`."""
    return run_task(table_of(data), check_task({"kind": kind, **arguments}, "task", 0))
