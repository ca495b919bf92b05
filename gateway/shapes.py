"""What a JSON object for a message may look like, free of any protobuf library.

Used where values are explained or converted outside the codec: decode faults and query parameters.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from gateway.nearest import nearest
from kit.errors import Fault

Kind = Literal["string", "int", "float", "bool", "bytes", "enum", "message", "map", "object", "array", "any", "moment"]

INT32: Final = (-(2**31), 2**31 - 1)
LONGEST_NAME: Final = 100
"""How many characters of a name that nobody knows are told."""
# How the body as a whole is named in a fault.
BODY: Final = "body"
# Strings that hold an exact decimal: a JSON number there is answered with the cure.
DECIMAL_NAMES: Final = frozenset({"amount", "limit", "price", "unit_price"})


@dataclass(slots=True)
class Field:
    """One field; `object`, `array`, `any` are free JSON (Struct, ListValue, Value), `moment` a Timestamp."""

    name: str
    kind: Kind
    repeated: bool = False
    bounds: tuple[int, int] = INT32
    choices: frozenset[str] = frozenset()
    shape: Shape | None = None


@dataclass(slots=True)
class Shape:
    """The fields of a message by their proto name; `name_only` is the one that will do alone and holds a text."""

    type_name: str
    fields: dict[str, Field] = field(default_factory=dict)
    name_only: str = ""

    @property
    def cure(self) -> str:
        """What is said to who sends a text instead of the object; empty when there is nothing to say."""
        return f': write {{"{self.name_only}": "…"}}' if self.name_only else ""


def explain(shape: Shape, value: object) -> Fault | None:
    """The first fault that keeps `value` from being read as `shape`, or None when none is found."""
    return next(_message(shape, value, ""), None)


def _message(shape: Shape, value: object, path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        cure = shape.cure if isinstance(value, str) else ""
        yield Fault(path or BODY, f"must be an object, not {_called(value)}{cure}")
        return
    for name, item in value.items():
        known = shape.fields.get(name)
        at = f"{path}.{name[:LONGEST_NAME]}" if path else name[:LONGEST_NAME]
        if known is None:
            meant = nearest(name, shape.fields)
            yield Fault(at, "is not a known field" + (f": did you mean {meant}?" if meant else ""))
        elif item is not None:
            yield from _field(known, item, at)


def _field(known: Field, value: object, path: str) -> Iterator[Fault]:
    if known.kind == "map":
        if not isinstance(value, dict):
            yield Fault(path, f"must be an object, not {_called(value)}")
        return
    if not known.repeated:
        yield from _single(known, value, path)
        return
    if not isinstance(value, list):
        yield Fault(path, f"must be an array, not {_called(value)}")
        return
    for number, item in enumerate(value):
        if item is None:
            yield Fault(f"{path}[{number}]", "must not be null")
        else:
            yield from _single(known, item, f"{path}[{number}]")


def _single(known: Field, value: object, path: str) -> Iterator[Fault]:
    issue: str | None = None
    match known.kind:
        case "message":
            assert known.shape is not None
            yield from _message(known.shape, value, path)
        case "string":
            issue = _string_issue(known, value)
        case "int":
            issue = _int_issue(known, value)
        case "float":
            issue = _float_issue(value)
        case "bool":
            if not isinstance(value, bool):
                issue = f"must be true or false, not {_called(value)}"
        case "enum":
            if not isinstance(value, str) or value not in known.choices:
                issue = f"must be one of {', '.join(sorted(known.choices))}"
        case "moment":
            if not _is_moment(value):
                issue = "must be an RFC 3339 moment such as 2025-07-02T10:30:00Z"
        case "object" | "array" | "any":
            issue = _free_issue(known.kind, value)
        case _:
            if not isinstance(value, str):
                issue = f"must be a string, not {_called(value)}"
    if issue is not None:
        yield Fault(path, issue)


def _string_issue(known: Field, value: object) -> str | None:
    if isinstance(value, str):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'must be a string, not a number: write "{written(known.name, value)}"'
    return f"must be a string, not {_called(value)}"


def written(name: str, number: float) -> str:
    """A JSON number as the string to send instead: decimals with at least two places."""
    text = f"{number:f}".rstrip("0").rstrip(".") if isinstance(number, float) else str(number)
    if name not in DECIMAL_NAMES:
        return text
    whole, _, places = text.partition(".")
    return f"{whole}.{places:0<2}"


def _int_issue(known: Field, value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, float):
        return f"must be a whole number, not {value}"
    if isinstance(value, bool) or not isinstance(value, int):
        return f"must be a whole number, not {_called(value)}"
    low, high = known.bounds
    return None if low <= value <= high else f"must be from {low} to {high}"


def _float_issue(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number, not {_called(value)}"
    return None if abs(value) <= sys.float_info.max else "is too large for a number"


def _free_issue(kind: str, value: object) -> str | None:
    if kind == "object" and not isinstance(value, dict):
        return f"must be an object, not {_called(value)}"
    if kind == "array" and not isinstance(value, list):
        return f"must be an array, not {_called(value)}"
    return None


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _called(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
