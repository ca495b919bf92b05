"""Where an answer leads: the operations that take the id of what was made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from gateway.openapi.contract import Message, Operation

JSON = Any

VARIABLE: Final = re.compile(r"\{([a-z][a-z0-9_]*)(?:=\*)?\}")


def links_of(operation: Operation, answer: Message, others: Iterable[Operation]) -> dict[str, JSON]:
    """Links, by name, of an operation that makes something."""
    given = set(VARIABLE.findall(operation.template))
    made = {field.name for field in answer.fields} - given
    found: dict[str, JSON] = {}
    for other in others:
        wanted = VARIABLE.findall(other.template)
        if not made.intersection(wanted) or not made.union(given).issuperset(wanted):
            continue
        name = operation_id(other)
        found[name] = {
            "operationId": name,
            "parameters": {
                each: f"$response.body#/{each}" if each in made else f"$request.path.{each}" for each in wanted
            },
        }
    return dict(sorted(found.items()))


def operation_id(operation: Operation) -> str:
    """The RPC's name as descriptions write names."""
    return operation.name[0].lower() + operation.name[1:]
