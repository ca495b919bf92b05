"""Whether a JSON value is what a client was told to expect, and where in an answer it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.contract.table import load

JSON = Any
MONEY = re.compile(r"(0|[1-9][0-9]*)\.[0-9]{2,6}")
TIMESTAMP = re.compile(
    r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.(?!000)[0-9]{3})?Z"
)
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DIGEST = re.compile(r"[0-9a-f]{64}")


def _matches(pattern: re.Pattern[str]) -> Callable[[JSON], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _integer(value: JSON) -> bool:
    return _number(value) and value == int(value)


def _url(value: JSON) -> bool:
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and len(parts.path) > 1


CHECKS: Mapping[str, Callable[[JSON], bool]] = {
    "string": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str) and value != "",
    "id": _matches(UUID7),
    "url": lambda value: isinstance(value, str) and _url(value),
    "integer": lambda value: _integer(value) and value >= 0,
    "count": lambda value: _integer(value) and value >= 1,
    "percent": lambda value: _integer(value) and 0 <= value <= 100,
    "float": lambda value: _number(value) and value >= 0,
    "ratio": lambda value: _number(value) and 0 <= value <= 1,
    "boolean": lambda value: isinstance(value, bool),
    "decimal": _matches(MONEY),
    "timestamp": _matches(TIMESTAMP),
    "digest": _matches(DIGEST),
    "status": lambda value: value in load().status_values,
    "session_type": lambda value: value in load().session_types,
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


def is_a(kind: str, value: JSON) -> bool:
    """Whether `value` is of the kind that the table names. Raises KeyError for a kind that there is not."""
    return CHECKS[kind](value)


def select(value: JSON, path: str) -> list[JSON]:
    """All values at a path such as `citations[].passages[].quote`; fields that are not there are left out."""
    found = [value]
    for part in path.split("."):
        name, each, _ = part.partition("[]")
        found = [item[name] for item in found if isinstance(item, dict) and name in item]
        if each:
            found = [element for items in found for element in items]
    return found
