"""The rows that a task's conditions keep, in plain pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.reproduction.code import literal
from worker.engines.analysis.tasks.conditions import span_of

Types = Mapping[str, str]

_NUMERIC = ("number", "integer")
_FIRST, _AFTER = 0, 1
_BOUND = {">": (">=", _AFTER), ">=": (">=", _FIRST), "<": ("<", _FIRST), "<=": ("<", _AFTER)}
"""How a sign reads for a span of days, and which end of the span it is about."""


def conditions(asked: Sequence[Mapping[str, Any]], types: Types) -> list[str]:
    """Lines that make ``kept``. Levels of one column are alternatives, as are its values with ``=``.

    Raises ValueError for conditions that the script cannot put: levels of a date, a date that is none.
    """
    lines = ["kept = pd.Series(True, index=data.index)"]
    levels: dict[str, list[str]] = {}
    either: dict[str, list[str]] = {}
    for item in asked:
        name = item["column"]
        if "level" in item:
            if types.get(name) == "date":
                raise ValueError(name)
            levels.setdefault(name, []).append(str(item["level"]))
        elif item["sign"] == "=":
            either.setdefault(name, []).append(_equal(name, item["value"], types))
        else:
            sign, value = item["sign"], item["value"]
            if types.get(name) == "date":
                sign, end = _BOUND[sign]
                value = _span(value)[end]
            lines.append(f"kept &= data[{literal(name)}] {sign} {literal(float(value))}")
    lines += [f"kept &= {' | '.join(parts)}" for parts in either.values()]
    lines += [f"kept &= data[{literal(name)}].isin({shown(some, name, types)})" for name, some in levels.items()]
    return lines


def shown(levels: Sequence[str], column: str, types: Types) -> str:
    """Levels as the script's table holds them."""
    return literal([float(level) for level in levels] if types.get(column) in _NUMERIC else list(levels))


def _equal(name: str, value: Any, types: Types) -> str:
    column = f"data[{literal(name)}]"
    if types.get(name) != "date":
        return f"({column} == {literal(float(value))})"
    first, after = _span(value)
    return f"(({column} >= {first}) & ({column} < {after}))"


def _span(value: Any) -> tuple[int, int]:
    span = span_of(str(value))
    if span is None:
        raise ValueError(value)
    return span
