"""Reading what a language model answered: one JSON value of the schema that was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from worker.engines.base import ModelFailed

# Models that are not held to JSON like to present it.
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def value_of(text: str, schema: Mapping[str, Any]) -> Any:
    """Raises ModelFailed: `bad_json`, `bad_schema`."""
    try:
        value = json.loads(_FENCE.sub(r"\1", text.strip()), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ModelFailed("bad_json", "The answer was not JSON") from None
    fault = _fault(value, schema, "the answer")
    if fault:
        raise ModelFailed("bad_schema", f"The answer had another form than was asked for: {fault}")
    return value


def _no_number(_name: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _fits(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _fault(value: Any, schema: Mapping[str, Any], where: str) -> str:
    """The first place where a value does not fit, "" where it fits. It names our own schema's words, none of the
    answer's."""
    kind = str(schema["type"])
    if not _fits(value, kind):
        return f"{where} is no {kind}"
    if kind == "object":
        properties: Mapping[str, Any] = schema["properties"]
        if value.keys() != properties.keys():
            return f"{where} has not just the properties {', '.join(properties)}"
        faults = (_fault(value[name], inner, f"{where}.{name}") for name, inner in properties.items())
        return next(filter(None, faults), "")
    if kind == "array":
        faults = (_fault(item, schema["items"], f"{where}[]") for item in value)
        return next(filter(None, faults), "")
    return ""
