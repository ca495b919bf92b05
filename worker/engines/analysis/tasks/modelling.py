"""What models of all families share: polynomials, terms and their columns, the order of time, rows by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.expressions.coding import INTERCEPT
from worker.engines.analysis.expressions.syntax import ExpressionError
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.task import Result
from worker.engines.analysis.wording import factor_name

Rows = npt.NDArray[np.intp]

MAX_DEGREE = 10
_POLY = re.compile(r"\bpoly\(\s*(`[^`]+`|[A-Za-z_][A-Za-z0-9_]*)\s*,\s*(?:degree\s*=\s*)?([^()]*?)\s*\)")
_TIME_NAMES = re.compile(r"(^|[^a-z])(year|date|time|month|day|week|quarter|period|timestamp)s?([^a-z]|$)")


def expand_polynomials(text: str) -> str:
    """The formula with ``poly(x, 3)`` written out as ``(x + I(x**2) + I(x**3))``.

    The powers are the plain ones: the same curve as with orthogonal polynomials, and exact arithmetic or refinement
    keeps their digits. Raises :class:`ExpressionError` for a degree that is no whole number from 1 to 10.
    """

    def written(match: re.Match[str]) -> str:
        name, degree = match[1], match[2]
        if not degree.isdigit() or not 1 <= int(degree) <= MAX_DEGREE:
            raise ExpressionError(f"poly({name}, {degree}): the degree is a whole number from 1 to {MAX_DEGREE}")
        return f"({' + '.join([name, *(f'I({name}**{k})' for k in range(2, int(degree) + 1))])})"

    expanded = _POLY.sub(written, text)
    # Brackets around the whole right side, or around one addend of it, say nothing.
    return re.sub(r"(^|[~+])\s*\(((?:`[^`]+`|[^\s()]+)(?: \+ I\([^()]*\))*)\)\s*(?=$|\+)", r"\1 \2 ", expanded).strip()


def columns_by_term(names: Sequence[str], kept: Sequence[int] | None = None) -> dict[str, list[int]]:
    """For each term but the intercept, as read (``depth × site``), the places of its columns."""
    terms: dict[str, list[int]] = {}
    for j, name in enumerate(names):
        if name != INTERCEPT and (kept is None or j in kept):
            terms.setdefault(factor_name(name), []).append(j)
    return terms


def time_order(table: Table, rows: Rows) -> tuple[str, Rows] | None:
    """The column that puts `rows` in order of time, and their order; None where there is none or times repeat."""
    for column in table.columns:
        dated = column.type is ColumnType.DATE
        if not dated and not (column.numeric and _TIME_NAMES.search(column.name.lower())):
            continue
        moments = (column.days() if dated else column.floats())[rows]
        if np.isnan(moments).any():
            continue
        order = np.argsort(moments, kind="stable")
        if len(rows) > 1 and np.all(np.diff(moments[order]) > 0):
            return column.name, order
    return None


def row_name(table: Table, row: int) -> Result:
    """A row for reading: its number from 1, and its value in the first column that names rows."""
    named: Result = {"row": int(row) + 1}
    label = next((column for column in table.columns if column.identifier), None)
    if label is not None and (text := label.cells[int(row)]) is not None:
        named |= {"label": text[:200]}
    return named


def said(named: Result) -> str:
    return f"row {named['row']}" + (f" ({named['label']})" if "label" in named else "")


def is_two_sided(column: Column) -> bool:
    """Whether a column that is not numeric has two levels, as the response of a logistic model has."""
    return not column.numeric and column.type is not ColumnType.DATE and column.distinct == 2
