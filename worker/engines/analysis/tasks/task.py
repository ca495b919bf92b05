"""A task as asked for, with its arguments checked against the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kit.near import near
from worker.engines.analysis.errors import AnalysisError, invalid
from worker.engines.analysis.table import Column, Table

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What to compute. `path` is where the request asked for it, for messages; `seed` feeds what is random."""

    kind: str
    arguments: Mapping[str, Any]
    path: str
    seed: int = 0

    def fault(self, field: str, issue: str) -> AnalysisError:
        return invalid(f"{self.path}.{field}", issue)

    def text(self, field: str, default: str | None = None) -> str:
        value = self.arguments.get(field)
        value = default if value is None else value
        if not isinstance(value, str) or not value.strip():
            raise self.fault(field, "must be given as text")
        return value

    def choice(self, field: str, choices: tuple[str, ...], default: str) -> str:
        value = self.arguments.get(field)
        value = default if value is None else value
        if value not in choices:
            raise self.fault(field, f"must be one of {', '.join(choices)}{near(value, choices)}")
        return str(value)

    def column(self, field: str, table: Table, *, numeric: bool = False) -> Column:
        return self._column(field, self.text(field), table, numeric=numeric)

    def columns(self, field: str, table: Table, *, numeric: bool = False) -> list[Column] | None:
        """The columns listed, or None when the request leaves them out."""
        value = self.arguments.get(field)
        if value is None:
            return None
        if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) for name in value):
            raise self.fault(field, "must be a list of column names")
        return [
            self._column(f"{field}[{i}]", name, table, numeric=numeric) for i, name in enumerate(dict.fromkeys(value))
        ]

    def _column(self, field: str, name: str, table: Table, *, numeric: bool) -> Column:
        column = table.find(name)
        if column is None:
            raise self.fault(field, no_column(name, table))
        if numeric and not column.numeric:
            raise self.fault(field, f"column {name!r} is {column.type}, a numeric one is needed")
        return column


def no_column(name: str, table: Table) -> str:
    """The issue of a name that is no column's, with the columns there are and near matches."""
    names = table.names()
    return f"no column {name!r}; there are {', '.join(names[:50])}{near(name, names)}"


def no_level(column: Column, value: object) -> str:
    """The issue of a value that a column does not have, with those it has and near matches."""
    levels = column.levels()
    more = f" and {len(levels) - 20} others" if len(levels) > 20 else ""
    known = f"; there are {', '.join(levels[:20])}{more}" if levels else ""
    return f"{column.name} has no value {str(value)!r}{known}{near(value, levels[:1000])}"


def level_text(value: object) -> str:
    """A level of a request as tables hold it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
