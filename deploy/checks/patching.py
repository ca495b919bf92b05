"""JSON patches (RFC 6902), as far as kustomizations and the seeds of bad manifests use them: add, replace, remove.

Beyond the RFC, `[name=session]` in a path stands for the place in a list where the entry has that name.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any


def patched(document: dict[str, Any], operations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A patched copy. Raises ValueError for an operation that fits nowhere."""
    result = copy.deepcopy(document)
    for operation in operations:
        try:
            _apply(result, operation)
        except (KeyError, IndexError, TypeError, StopIteration) as error:
            raise ValueError(f"{operation['op']} {operation['path']} fits nowhere") from error
    return result


def _apply(document: Any, operation: dict[str, Any]) -> None:
    *above, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    at = document
    for part in above:
        at = at[_place(at, part) if isinstance(at, list) else part]
    value = copy.deepcopy(operation.get("value"))
    match operation["op"], at:
        case "add", list():
            at.insert(len(at) if last == "-" else _place(at, last), value)
        case "replace", list():
            at[_place(at, last)] = value
        case "remove", list():
            del at[_place(at, last)]
        case "add", dict():
            at[last] = value
        case "replace", dict() if last in at:
            at[last] = value
        case "remove", dict():
            del at[last]
        case _:
            raise KeyError(last)


def _place(entries: list[Any], part: str) -> int:
    if not part.startswith("["):
        return int(part)
    key, _, value = part.strip("[]").partition("=")
    return next(number for number, entry in enumerate(entries) if entry.get(key) == value)
