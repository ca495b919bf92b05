"""The rows and numeric columns that a task on several columns together works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.table import Column, Table, complete_rows
from worker.engines.analysis.tasks.task import Task
from worker.engines.analysis.wording import listed, plural

Matrix = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

MAX_CELLS = 5_000_000
"""Rows times columns worked on; of larger tables rows are drawn at random."""
_MUCH_MISSING = 0.5


@dataclass(frozen=True, slots=True)
class NumericRows:
    """`values` is n × p: the complete rows of `columns`; `rows` are their places in the table, from 0."""

    columns: tuple[Column, ...]
    rows: Rows
    values: Matrix
    warnings: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def numeric_rows(table: Table, task: Task, *, least_columns: int, most_columns: int, coded: int = 0) -> NumericRows:
    """The columns asked for, else those that measure something, on the rows where none is missing.

    Without `columns` in the request, those of which more than half is missing are left out, and those with at most
    `coded` distinct values, which are more likely codes than measurements; a constant column is always left out.
    Beyond :data:`MAX_CELLS` rows are drawn by the task's seed. Raises :class:`NotPossible` when fewer than
    `least_columns` remain.
    """
    warnings: list[str] = []
    columns = task.columns("columns", table, numeric=True)
    if columns is not None and len(columns) > most_columns:
        raise task.fault("columns", f"at most {most_columns} columns")
    if columns is None:
        columns = _chosen(table, most_columns, coded, warnings)
    if len(columns) < least_columns:
        raise NotPossible(_too_few(columns, least_columns))
    complete = np.asarray(complete_rows(columns), dtype=np.intp)
    rows = complete[sample_of(len(complete), max(1, MAX_CELLS // len(columns)), task.seed)]
    floats = [column.floats()[rows] for column in columns]
    varied = [i for i, values in enumerate(floats) if len(values) and float(values.min()) < float(values.max())]
    if len(rows) and (constant := [c.name for i, c in enumerate(columns) if i not in varied]):
        warnings.append(f"{listed(constant)} left out: the same value in every complete row")
    if len(varied) < least_columns:
        raise NotPossible(_too_few([columns[i] for i in varied], least_columns, len(rows)))
    if table.rows > len(complete):
        warnings.append(f"{table.rows - len(complete)} of {table.rows} rows are left out: a value is missing")
    if len(complete) > len(rows):
        warnings.append(f"{len(rows)} of {len(complete)} rows, drawn at random, are used")
    values = np.column_stack([floats[i] for i in varied])
    return NumericRows(tuple(columns[i] for i in varied), rows, values, tuple(warnings))


def _chosen(table: Table, most: int, coded: int, warnings: list[str]) -> list[Column]:
    measures = table.measures()
    sparse = [c for c in measures if c.missing > _MUCH_MISSING * table.rows]
    codes = [c for c in measures if c not in sparse and c.distinct <= coded]
    kept = [c for c in measures if c not in sparse and c not in codes]
    if sparse:
        warnings.append(f"{listed([c.name for c in sparse])} left out: more than half of the values are missing")
    if codes:
        warnings.append(f"{listed([c.name for c in codes])} left out: at most {coded} distinct values look like codes")
    if len(kept) > most:
        warnings.append(f"only the first {most} of {len(kept)} numeric columns are used")
    return kept[:most]


def _too_few(columns: Sequence[Column], least: int, rows: int | None = None) -> str:
    need = "a numeric column" if least == 1 else f"{least} numeric columns"
    have = listed([column.name for column in columns]) if columns else "none"
    where = "" if rows is None else f" in the {plural(rows, 'complete row')}"
    return f"This needs {need} with different values{where}; there is {have}."


def sample_of(n: int, most: int, seed: int) -> Rows:
    """At most `most` of n places, drawn without replacement by `seed` and in ascending order."""
    if n <= most:
        return np.arange(n, dtype=np.intp)
    chosen = np.random.Generator(np.random.PCG64(seed)).choice(n, size=most, replace=False, shuffle=False)
    return np.sort(chosen).astype(np.intp)


def centre_and_spread(values: Matrix) -> tuple[Matrix, Matrix]:
    """Mean and standard deviation (n − 1) of each column, safe for numbers near the limits of doubles."""
    size = np.abs(values).max(axis=0)
    size = np.where(size > 0, size, 1.0)
    scaled = values / size
    return scaled.mean(axis=0) * size, scaled.std(axis=0, ddof=1) * size


def octile_skewness(values: Matrix) -> float:
    """Skewness of the middle three quarters, from −1 to 1 (Hinkley 1975): single far values do not move it."""
    low, middle, high = np.quantile(values, (0.125, 0.5, 0.875)).tolist()
    return float((high + low - 2 * middle) / (high - low)) if high > low else 0.0


def different_units(columns: Sequence[Column]) -> bool:
    """Whether the columns cannot be known to share one unit."""
    return len({column.unit for column in columns}) > 1 or columns[0].unit is None


def whole_number(task: Task, field: str, low: int, high: int, default: int | None = None) -> int | None:
    """An argument that counts something; numbers of a request may come as doubles."""
    value = task.arguments.get(field, default)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1 or not low <= value <= high:
        raise task.fault(field, f"must be a whole number from {low} to {high}")
    return int(value)


def yes_or_no(task: Task, field: str) -> bool | None:
    value = task.arguments.get(field)
    if value is not None and not isinstance(value, bool):
        raise task.fault(field, "must be true or false")
    return value
