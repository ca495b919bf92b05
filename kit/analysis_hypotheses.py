"""What a hypothesis of a request may look like, as far as that needs no data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kit.analysis_values import Check, choice, columns, level, number, text
from kit.errors import Fault
from kit.near import near

MOST_HYPOTHESES = 100
ADJUSTMENTS = ("holm", "bh", "none")
DIRECTIONS = ("greater", "less")
HYPOTHESES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "correlation": (("x", "y"), ("direction",)),
    "difference": (("response", "group"), ("level", "than", "direction")),
    "association": (("row", "column"), ()),
    "trend": (("response", "time"), ("direction",)),
    "mean": (("column", "value"), ("direction",)),
    "proportion": (("column", "level", "value"), ("direction",)),
    "equivalence": (("margin",), ("response", "group", "level", "than", "column", "value", "first", "second")),
    "paired": (("first", "second"), ("direction",)),
    "regression": (("response", "predictor"), ("covariates", "direction")),
}
"""By kind the fields that a hypothesis must have, and those that it may have."""

_EQUIVALENT = ({"response", "group"}, {"column", "value"}, {"first", "second"})
_COLUMN = text("the name of a column")
_VALUES: Mapping[str, Check] = {
    "direction": choice(DIRECTIONS), "level": level, "than": level, "value": number(),
    "margin": number(above=0), "covariates": columns(20),
}  # fmt: skip
_SHARE = number(above=0, below=1)


def hypotheses(value: Any, path: str) -> Iterator[Fault]:
    """The faults of a list of hypotheses, each ``{kind, …}`` or ``{statement}``."""
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_HYPOTHESES:
        yield Fault(path, f"must be a list of 1 to {MOST_HYPOTHESES} hypotheses")
        return
    for i, item in enumerate(value):
        yield from _hypothesis(item, f"{path}[{i}]")


def _hypothesis(item: Any, path: str) -> Iterator[Fault]:
    if not isinstance(item, Mapping):
        yield Fault(path, 'must be an object: {"kind": …} with its fields, or {"statement": …}')
        return
    given = {field: value for field, value in item.items() if value is not None}
    kind = given.get("kind")
    if kind is None and "statement" in item:
        yield from text("a sentence", most=500)(item["statement"], f"{path}.statement")
        if set(given) - {"statement"}:
            yield Fault(path, "a statement stands alone; with other fields, give the kind")
    elif not isinstance(kind, str) or kind not in HYPOTHESES:
        yield Fault(f"{path}.kind", f"must be one of {', '.join(HYPOTHESES)}{near(kind, HYPOTHESES)}")
    else:
        yield from _fields(kind, {field: value for field, value in given.items() if field != "kind"}, path)


def _fields(kind: str, given: Mapping[str, Any], path: str) -> Iterator[Fault]:
    required, optional = HYPOTHESES[kind]
    taken = (*required, *optional)
    for field, value in given.items():
        if field not in taken:
            yield Fault(f"{path}.{field}", f"unknown field; {kind} takes {', '.join(taken)}{near(field, taken)}")
            continue
        check = _SHARE if (kind, field) == ("proportion", "value") else _VALUES.get(field, _COLUMN)
        yield from check(value, f"{path}.{field}")
    for field in required:
        if field not in given:
            yield Fault(f"{path}.{field}", f"{kind} needs it")
    if "level" in taken and "level" not in given and kind != "proportion":
        if "than" in given:
            yield Fault(f"{path}.level", "must be given with than")
        elif kind == "difference" and "direction" in given:
            yield Fault(f"{path}.level", "must name the level that is greater or less")
    if kind == "equivalence" and set(given) - {"margin", "level", "than"} not in _EQUIVALENT:
        yield Fault(path, "equivalence takes margin and response and group, column and value, or first and second")
