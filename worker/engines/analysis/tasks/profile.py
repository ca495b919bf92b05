"""`profile`: what kind of data this is and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from worker.engines.analysis.numerics.sums import summarise
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.task import Result, Task

_MUCH_MISSING = 0.2
_LEVELS_SHOWN = 10


def run(table: Table, task: Task) -> Result:
    """Shape, repeated rows, and each column's type, missing values, distinct values and remarks.

    `outliers` counts values more than 1.5 interquartile ranges outside the quartiles (Tukey's fences).
    `completeness` is the share of cells that hold a value.
    """
    columns = task.columns("columns", table) or list(table.columns)
    rows = Counter(zip(*(column.cells for column in table.columns), strict=True))
    repeated = sum(count - 1 for count in rows.values())
    missing = sum(column.missing for column in columns)
    cells = table.rows * len(columns)
    return {
        "rows": table.rows,
        "column_count": len(table.columns),
        "repeated_rows": repeated,
        "missing_cells": missing,
        "completeness": 1 - missing / cells if cells else 0.0,
        "columns": [_column(column, table.rows) for column in columns],
    }


def _column(column: Column, rows: int) -> Result:
    present = [cell for cell in column.cells if cell is not None]
    distinct = set(present)
    remarks = []
    if not present:
        remarks.append("empty")
    elif len(distinct) == 1:
        remarks.append("constant")
    if present and column.missing > _MUCH_MISSING * rows:
        remarks.append(f"{column.missing} of {rows} values missing")
    if column.identifier:
        remarks.append("identifier")
    profile: Result = {
        "name": column.name,
        "type": str(column.type),
        "unit": column.unit,
        "missing": column.missing,
        "distinct": len(distinct),
    }
    if column.numeric and len(distinct) > 1:
        profile["outliers"] = _outliers(column)
    elif column.type in (ColumnType.CATEGORY, ColumnType.BOOLEAN):
        counts = sorted(Counter(present).items(), key=lambda item: (-item[1], item[0]))
        profile["levels"] = [{"value": value[:200], "count": count} for value, count in counts[:_LEVELS_SHOWN]]
    elif column.type is ColumnType.DATE and present:
        profile |= {"first": min(present), "last": max(present)}
    return profile | {"remarks": remarks}


def _outliers(column: Column) -> int:
    summary = summarise(column.cells)
    _, q1, _, q3, _ = summary.quantiles
    reach = 1.5 * (q3 - q1)
    return sum(1 for cell in column.cells if cell is not None and not q1 - reach <= float(Decimal(cell)) <= q3 + reach)
