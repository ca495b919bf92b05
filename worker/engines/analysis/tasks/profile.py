"""`profile`: what kind of data this is and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.sums import summarise
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.counting import first_and_last, value_counts
from worker.engines.analysis.tasks.quality import remarks
from worker.engines.analysis.tasks.task import Result, Task

_MUCH_MISSING = 0.2
_LEVELS_SHOWN = 10


def run(table: Table, task: Task) -> Result:
    """Shape, repeated rows, and each column's type, missing values, distinct values and remarks.

    `outliers` counts values more than 1.5 interquartile ranges outside the quartiles (Tukey's fences).
    `completeness` is the share of cells that hold a value. `quality` tells what looks out of order.
    """
    columns = task.columns("columns", table) or list(table.columns)
    missing = sum(column.missing for column in columns)
    cells = table.rows * len(columns)
    repeated = repeated_rows(table.columns)
    return {
        "rows": table.rows,
        "column_count": len(table.columns),
        "repeated_rows": repeated,
        "missing_cells": missing,
        "completeness": 1 - missing / cells if cells else 0.0,
        "columns": [_column(column, table.rows) for column in columns],
        "quality": remarks(table, columns, repeated),
    }


def _column(column: Column, rows: int) -> Result:
    distinct = column.distinct
    remarks = []
    if not distinct:
        remarks.append("empty")
    elif distinct == 1:
        remarks.append("constant")
    if distinct and column.missing > _MUCH_MISSING * rows:
        remarks.append(f"{column.missing} of {rows} values missing")
    if column.names_rows:
        remarks.append("identifier")
    profile: Result = {
        "name": column.name,
        "type": str(column.type),
        "unit": column.unit,
        "missing": column.missing,
        "distinct": distinct,
    }
    if column.numeric and distinct > 1:
        profile["outliers"] = _outliers(column)
    elif column.type in (ColumnType.CATEGORY, ColumnType.BOOLEAN):
        counts = value_counts(column, _LEVELS_SHOWN)
        profile["levels"] = [{"value": value[:200], "count": count} for value, count in counts]
    elif column.type is ColumnType.DATE and distinct:
        profile |= dict(zip(("first", "last"), first_and_last(column), strict=True))
    return profile | {"remarks": remarks}


def _outliers(column: Column) -> int:
    _, q1, _, q3, _ = summarise(column.cells).quantiles
    reach = 1.5 * (q3 - q1)
    values = column.floats()
    return int(np.count_nonzero((values < q1 - reach) | (values > q3 + reach)))


def repeated_rows(columns: Sequence[Column]) -> int:
    """How many rows say in every column what an earlier row says."""
    if any(column.exact for column in columns):
        return sum(count - 1 for count in Counter(zip(*(c.cells for c in columns), strict=True)).values())
    keys = [_key(column) for column in columns]
    mixed = np.zeros(len(keys[0]), dtype=np.uint64)
    for key in keys:
        mixed = _mixed(mixed ^ key)
    order = np.argsort(mixed, kind="stable")
    # Equal rows have equal hashes, and are neighbours here; the rows themselves are compared as well.
    before, after = order[:-1], order[1:]
    same = mixed[before] == mixed[after]
    for key in keys:
        same[same] = key[before[same]] == key[after[same]]
    return int(np.count_nonzero(same))


def _key(column: Column) -> npt.NDArray[np.uint64]:
    """Equal numbers for equal values, and one for missing ones."""
    if column.numeric or column.type is ColumnType.DATE:
        values = column.floats() if column.numeric else column.days()
        return np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64)
    return column.codes()[0].astype(np.int64).view(np.uint64)


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Each number scattered over all 64 bits (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
