"""Query parameters to request fields, by name and type; nested fields are dotted (`filter.title`)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl

from gateway.shapes import Field, Shape
from kit.errors import ValidationError

_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOST: Final = 200
_TOLD: Final = 20
_DEEPEST: Final = 3
_NO_PARAMETERS: Final = ("message", "map", "object", "array", "any")


class QueryReader:
    """Reads the query string of one route."""

    def __init__(self, shape: Shape | None, taken: Container[str] = ()) -> None:
        """`shape` is None when the route takes no parameters; the `taken` come from the path."""
        self._shape = shape
        self._taken = taken
        self._unknown = unknown_parameter(shape, taken)

    def read(self, query: str) -> dict[str, Any]:
        """The JSON value of the parameters. Raises ValidationError with the first fault."""
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST, errors="strict")
        except UnicodeDecodeError:
            raise ValidationError.of("query", "is not UTF-8") from None
        except ValueError:
            raise ValidationError.of("query", f"holds more than {_MOST} parameters") from None
        value: dict[str, Any] = {}
        for name, text in pairs:
            self._put(value, name, text)
        return value

    def _put(self, value: dict[str, Any], name: str, text: str) -> None:
        shape = self._shape
        *outer, last = name.split(".")
        if name in self._taken:
            shape = None
        for part in outer:
            known = shape.fields.get(part) if shape is not None else None
            shape = known.shape if known is not None and not known.repeated else None
            value = value.setdefault(part, {})
        field = shape.fields.get(last) if shape is not None else None
        if field is None or field.kind in _NO_PARAMETERS:
            raise ValidationError.of(name, self._unknown)
        item = _convert(field, name, text)
        if field.repeated:
            value.setdefault(last, []).append(item)
        elif last in value:
            raise ValidationError.of(name, "may be given only once")
        else:
            value[last] = item


def unknown_parameter(shape: Shape | None, taken: Container[str] = ()) -> str:
    """What is said of a parameter that a route does not have: the names of those that it has, up to 20."""
    names = list(islice(_names(shape, taken), _TOLD + 1)) if shape is not None else []
    if not names:
        return "is not a known query parameter: there are none here"
    told = ", ".join(names[:_TOLD])
    return f"is not a known query parameter: known are {told}{', ...' if len(names) > _TOLD else ''}"


def _names(shape: Shape, taken: Container[str], before: str = "", depth: int = 1) -> Iterator[str]:
    for name, field in shape.fields.items():
        if field.kind == "message" and field.shape is not None and not field.repeated and depth < _DEEPEST:
            yield from _names(field.shape, (), f"{before}{name}.", depth + 1)
        elif field.kind not in _NO_PARAMETERS and name not in taken:
            yield f"{before}{name}"


def _convert(field: Field, name: str, text: str) -> str | int | float | bool:
    match field.kind:
        case "int":
            low, high = field.bounds
            if not _WHOLE.fullmatch(text):
                raise ValidationError.of(name, "must be a whole number")
            if not low <= int(text) <= high:
                raise ValidationError.of(name, f"must be from {low} to {high}")
            return int(text)
        case "float":
            if not _NUMBER.fullmatch(text):
                raise ValidationError.of(name, "must be a number")
            return float(text)
        case "bool":
            if text not in ("true", "false"):
                raise ValidationError.of(name, "must be true or false")
            return text == "true"
        case "enum":
            if text not in field.choices:
                raise ValidationError.of(name, f"must be one of {', '.join(sorted(field.choices))}")
            return text
        case _:
            return text
