"""The few words that the schema is written in. Every member has a description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def text(description: str) -> Schema:
    return {"description": description, "type": "string"}


def number(description: str) -> Schema:
    return {"description": description, "type": "number"}


def whole(description: str) -> Schema:
    return {"description": description, "type": "integer"}


def count(description: str) -> Schema:
    return {"description": description, "type": "integer", "minimum": 0}


def flag(description: str) -> Schema:
    return {"description": description, "type": "boolean"}


def anything(description: str) -> Schema:
    return {"description": description}


def moment(description: str) -> Schema:
    return {"description": f"{description} RFC 3339.", "type": "string", "format": "date-time"}


def decimal(description: str) -> Schema:
    """An amount of money, which is never a binary fraction."""
    return {"description": f"{description} A decimal as text.", "type": "string", "pattern": r"^-?\d+(\.\d+)?$"}


def of(name: str, description: str) -> Schema:
    """What `$defs` describes under a name."""
    return {"description": description, "$ref": f"#/$defs/{name}"}


def listed(item: Schema, description: str) -> Schema:
    return {"description": description, "type": "array", "items": item}


def texts(description: str) -> Schema:
    return listed({"type": "string"}, description)


def by_name(value: Schema, description: str) -> Schema:
    """An object whose members are named by the data."""
    return {"description": description, "type": "object", "additionalProperties": value}


def nullable(schema: Schema) -> Schema:
    """`schema`, or null."""
    if "$ref" in schema:
        return {"description": schema["description"], "anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}]}
    kinds = schema["type"]
    return {**schema, "type": [*(kinds if isinstance(kinds, list) else [kinds]), "null"]}


def members(
    description: str, needed: Mapping[str, Schema], also: Mapping[str, Schema] | None = None, /, **more: Any
) -> Schema:
    """An object: members that are always there, members that may be, and whatever else an engine adds."""
    made: Schema = {"description": description, "type": "object", "properties": {**needed, **(also or {})}}
    if needed:
        made["required"] = list(needed)
    return made | more
