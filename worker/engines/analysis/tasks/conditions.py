"""Which rows a task is of: conditions on levels, numbers and dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.task import Task, level_text, no_level

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SIGNS = (">", ">=", "<", "<=", "=")
_EPOCH = date(1970, 1, 1)
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_SAID = {
    ">": "is after {}", ">=": "is {} or later", "<": "is before {}", "<=": "is {} or earlier", "=": "is in {}",
}  # fmt: skip


def kept_rows(table: Table, task: Task) -> tuple[npt.NDArray[np.bool_], str]:
    """The rows that `where` keeps, and its conditions in words; all rows and "" without it.

    `where` is a list of ``{column, level}`` and ``{column, sign, value}``. Levels of one column are alternatives, as
    are several values with the sign ``=``; else every condition has to hold. A date's `value` is a year, a month or a
    day in ISO 8601, and stands for the whole of it: ``<= 2019`` keeps all of 2019.
    """
    import numpy as np

    conditions = task.arguments.get("where") or []
    if not isinstance(conditions, list | tuple) or not all(isinstance(item, Mapping) for item in conditions):
        raise task.fault("where", "must be a list of conditions such as {column, level} or {column, sign, value}")
    kept = np.ones(table.rows, dtype=np.bool_)
    either: dict[str, npt.NDArray[np.bool_]] = {}
    said: dict[str, list[str]] = {}
    levels: dict[str, list[str]] = {}
    told = []
    for i, condition in enumerate(conditions):
        inner = Task(task.kind, condition, f"{task.path}.where[{i}]", task.seed)
        column = inner.column("column", table)
        if "level" in condition:
            wanted = level_text(condition["level"])
            if wanted not in column.levels():
                raise inner.fault("level", no_level(column, wanted))
            levels.setdefault(column.name, []).append(wanted)
            continue
        dated = column.type is ColumnType.DATE
        column = inner.column("column", table, numeric=not dated)
        sign = inner.choice("sign", SIGNS, "")
        rows, value = _dated(column, sign, inner) if dated else _numbered(column, sign, inner)
        if sign == "=":
            either[column.name] = either.get(column.name, np.zeros(table.rows, dtype=np.bool_)) | rows
            said.setdefault(column.name, []).append(value)
        else:
            kept &= rows
            told.append(f"{column.name} {_SAID[sign].format(value) if dated else f'{sign} {value}'}")
    for name, rows in either.items():
        kept &= rows
        values = " or ".join(said[name])
        told.append(f"{name} is {'in ' if table[name].type is ColumnType.DATE else ''}{values}")
    for name, chosen in levels.items():
        codes, known = table[name].codes()
        kept &= np.isin(codes, [known.index(level) for level in chosen])
        told.append(f"{name} is {' or '.join(chosen)}")
    return kept, " and ".join(told)


def part_of(table: Table, task: Task) -> tuple[Table, Task, dict[str, Any]]:
    """The table of the rows kept, the task without `where`, and what its result says of them.

    Raises :class:`NotPossible` where no row is kept.
    """
    import numpy as np

    from worker.engines.analysis.tasks.parts import rows_of

    kept, told = kept_rows(table, task)
    rows = np.flatnonzero(kept)
    if not len(rows):
        raise NotPossible(f"No row has {told}.")
    arguments = {key: value for key, value in task.arguments.items() if key != "where"}
    return rows_of(table, rows), Task(task.kind, arguments, task.path, task.seed), {"where": told, "rows": len(rows)}


def span_of(text: str) -> tuple[int, int] | None:
    """The first day of a year, month or day in ISO 8601, and the first one after it, in days since 1970-01-01."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    try:
        first = date(year, month, day)
        if match[3]:
            after = first + timedelta(days=1)
        elif match[2]:
            after = date(year + month // 12, month % 12 + 1, 1)
        else:
            after = date(year + 1, 1, 1)
    except (OverflowError, ValueError):
        return None
    return (first - _EPOCH).days, (after - _EPOCH).days


def _dated(column: Column, sign: str, task: Task) -> tuple[npt.NDArray[np.bool_], str]:
    value = str(task.arguments.get("value"))
    span = span_of(value)
    if span is None:
        raise task.fault("value", "must be a year, a month or a day such as 2019, 2019-05 or 2019-05-31")
    days = column.days()
    found: dict[str, npt.NDArray[np.bool_]] = {
        ">": days >= span[1],
        ">=": days >= span[0],
        "<": days < span[0],
        "<=": days < span[1],
        "=": (days >= span[0]) & (days < span[1]),
    }
    return found[sign], value


def _numbered(column: Column, sign: str, task: Task) -> tuple[npt.NDArray[np.bool_], str]:
    import numpy as np

    value = task.arguments.get("value")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise task.fault("value", "must be a number")
    compare = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal, "=": np.equal}[sign]
    rows: npt.NDArray[np.bool_] = compare(column.floats(), float(value))
    return rows, f"{value:.10g}"
