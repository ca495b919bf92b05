"""google.protobuf.Struct and JSON values, both ways; by hand, which is several times faster than json_format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.struct_pb2 import ListValue, NullValue, Struct, Value


def object_of(struct: Struct) -> dict[str, Any]:
    return {name: _value_of(value) for name, value in struct.fields.items()}


def list_of(values: ListValue) -> list[Any]:
    return [_value_of(value) for value in values.values]


def _value_of(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return object_of(value.struct_value)
    if kind == "list_value":
        return list_of(value.list_value)
    if kind is None or kind == "null_value":
        return None
    return getattr(value, kind)


def fill(struct: Struct, value: Mapping[str, Any]) -> None:
    """Write a JSON object into a message; an empty one is there all the same."""
    struct.SetInParent()
    for name, item in value.items():
        _write(struct.fields[name], item)


def _write(target: Value, value: Any) -> None:
    if value is None:
        target.null_value = NullValue.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        fill(target.struct_value, value)
    else:
        _write_list(target.list_value, value)


def _write_list(target: ListValue, values: Sequence[Any]) -> None:
    target.SetInParent()
    for value in values:
        _write(target.values.add(), value)
