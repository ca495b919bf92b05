"""Descriptors, JSON and protobuf bytes: with `gateway.openapi.contract` the only module that knows protobuf-py.

Message classes are made from the descriptor set at start, so no generated code is needed here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, cast

from protobuf import (
    DescEnum,
    DescField,
    DescFieldValueEnum,
    DescFieldValueList,
    DescFieldValueMap,
    DescFieldValueMessage,
    DescFieldValueScalar,
    DescMessage,
    Message,
    Registry,
    ScalarType,
    message_from_json_value,
)
from protobuf.wkt import FileDescriptorSet
from protobuf.wkt.google.protobuf.descriptor_pb import DescriptorProto

from gateway.shapes import BODY, LONGEST_NAME, Field, Kind, Shape, explain
from kit.errors import Fault

HTTP_BODY: Final = "google.api.HttpBody"
_REASONS: Final = "prsm.errors.v1.Reason"
_MAPPING: Final = "prsm.errors.v1.mapping"
_FORMS: Final = "prsm.options.v1.forms"
# Well-known types whose JSON is not that of their fields.
_WELL_KNOWN: Final[dict[str, Kind]] = {
    "google.protobuf.Struct": "object",
    "google.protobuf.ListValue": "array",
    "google.protobuf.Value": "any",
    "google.protobuf.Timestamp": "moment",
    "google.protobuf.Duration": "string",
    "google.protobuf.FieldMask": "string",
}
_SIGNED_32: Final = {ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32}
_UNSIGNED_32: Final = {ScalarType.UINT32, ScalarType.FIXED32}
_SIGNED_64: Final = {ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64}
_UNSIGNED_64: Final = {ScalarType.UINT64, ScalarType.FIXED64}
_KINDS: Final[dict[ScalarType, Kind]] = {
    ScalarType.STRING: "string",
    ScalarType.BYTES: "bytes",
    ScalarType.BOOL: "bool",
    ScalarType.DOUBLE: "float",
    ScalarType.FLOAT: "float",
}


class InvalidJson(Exception):
    """The text is not JSON, or uses what this API does not take; the message says where."""


class Undecodable(Exception):
    """The JSON is no such message; `fault` names the first field at fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.issue)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """One `google.api.http` pattern of a method."""

    verb: str
    template: str
    body: str


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """An RPC: `path` as gRPC calls it, its messages, which sides stream, and how HTTP reaches it."""

    service: str
    path: str
    input: Codec
    output: Codec
    streams_in: bool
    streams_out: bool
    bindings: tuple[HttpBinding, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """An error as REST shows it; `retry_after` is in seconds, 0 for no such header."""

    name: str
    status: int
    message: str
    retry_after: int


class Codec:
    """JSON values in, bytes out, and back, for one message type."""

    def __init__(self, desc: DescMessage, shapes: Callable[[DescMessage], Shape]) -> None:
        self.type_name: Final = desc.type_name
        self._desc = desc
        self._class: type[Message] = desc.type
        self._shapes = shapes

    @property
    def shape(self) -> Shape:
        """The message's fields."""
        return self._shapes(self._desc)

    def encode(self, value: Any) -> bytes:
        """The bytes of a JSON value. Raises Undecodable, or InvalidJson when it nests too deeply."""
        try:
            return message_from_json_value(self._class, value).to_binary()
        except RecursionError:
            raise InvalidJson("The body nests too deeply") from None
        except UnicodeEncodeError:
            raise InvalidJson("A text in the body has half a surrogate pair") from None
        except (ValueError, TypeError, ArithmeticError):
            fault = explain(self.shape, value) or Fault(BODY, "has a value that cannot be read")
            raise Undecodable(fault) from None

    def decode(self, data: bytes) -> bytes:
        """The JSON text of a message: proto names, documented fields always there."""
        message = self._class.from_binary(data)
        return message.to_json(always_emit_implicit=True).encode()


class BodyCodec:
    """Pieces of `google.api.HttpBody`."""

    def __init__(self, desc: DescMessage) -> None:
        self._class: Any = desc.type

    def encode(self, content_type: str, data: bytes) -> bytes:
        """The bytes of one piece."""
        encoded: bytes = self._class(content_type=content_type, data=data).to_binary()
        return encoded

    def decode(self, piece: bytes) -> tuple[str, bytes]:
        """(content type, data) of one piece."""
        message = self._class.from_binary(piece)
        return message.content_type, message.data


class Schema:
    """A descriptor set (with its imports): methods, message codecs and the list of error reasons."""

    def __init__(self, registry: Registry, services: tuple[str, ...]) -> None:
        self._registry = registry
        self._services = services
        self._shapes: dict[str, Shape] = {}

    @classmethod
    def from_bytes(cls, data: bytes) -> Schema:
        """Read a serialized FileDescriptorSet. Raises ValueError when it is none or lacks an import."""
        files = FileDescriptorSet.from_binary(data)
        for file in files.file:
            _keep_proto_names(file.message_type)
        names = tuple(f"{file.package}.{service.name}" for file in files.file for service in file.service)
        return cls(files.to_registry(), names)

    def methods(self) -> Iterator[Method]:
        """Every RPC of every service that HTTP can reach."""
        rule: Any = self._registry.extension("google.api.http")
        if rule is None:
            return
        for name in self._services:
            service = self._registry.service(name)
            assert service is not None
            for method in service.methods:
                options: Any = method.proto.options
                if options is None or rule.type not in options:
                    continue
                yield Method(
                    service=name,
                    path=f"/{name}/{method.name}",
                    input=self._codec(method.input),
                    output=self._codec(method.output),
                    streams_in=method.method_kind in ("client_streaming", "bidi_streaming"),
                    streams_out=method.method_kind in ("server_streaming", "bidi_streaming"),
                    bindings=tuple(_bindings(options[rule.type])),
                )

    def http_body(self) -> BodyCodec:
        """The codec of google.api.HttpBody. Raises ValueError when the descriptor set does not have it."""
        desc = self._registry.message(HTTP_BODY)
        if desc is None:
            raise ValueError(f"the descriptor set lacks {HTTP_BODY}")
        return BodyCodec(desc)

    def reasons(self) -> dict[str, Reason]:
        """The error reasons by name, without the enum's prefix. Raises ValueError when the set lacks them."""
        enum, mapping = self._registry.enum(_REASONS), self._registry.extension(_MAPPING)
        if enum is None or mapping is None:
            raise ValueError(f"the descriptor set lacks {_REASONS}")
        found: dict[str, Reason] = {}
        for value in enum.values:
            options: Any = value.proto.options
            shown = options[mapping.type]
            name = value.name.removeprefix("REASON_")
            found[name] = Reason(shown.name, shown.http, shown.message, shown.retry_after)
        return found

    def _codec(self, desc: DescMessage) -> Codec:
        return Codec(desc, self._shape)

    def _shape(self, desc: DescMessage) -> Shape:
        known = self._shapes.get(desc.type_name)
        if known is None:
            known = self._shapes[desc.type_name] = Shape(desc.type_name)
            known.fields.update({field.name: self._field(field) for field in desc.fields})
            known.name_only = self._name_only(desc, known)
        return known

    def _name_only(self, desc: DescMessage, shape: Shape) -> str:
        """The first field that is a form of the message by itself and holds a text; empty where there is none."""
        forms, options = self._registry.extension(_FORMS), cast(Any, desc.proto.options)
        if forms is None or options is None or forms.type not in options:
            return ""
        for form in options[forms.type].form:
            if (field := shape.fields.get(form)) is not None and field.kind == "string" and not field.repeated:
                return field.name
        return ""

    def _field(self, field: DescField) -> Field:
        match field.value:
            case DescFieldValueScalar(scalar=scalar):
                return _scalar(field.name, scalar, repeated=False)
            case DescFieldValueEnum(enum=enum):
                return _enum(field.name, enum, repeated=False)
            case DescFieldValueMessage(message=message):
                return self._nested(field.name, message, repeated=False)
            case DescFieldValueList(element=ScalarType() as scalar):
                return _scalar(field.name, scalar, repeated=True)
            case DescFieldValueList(element=DescEnum() as enum):
                return _enum(field.name, enum, repeated=True)
            case DescFieldValueList(element=DescMessage() as message):
                return self._nested(field.name, message, repeated=True)
            case DescFieldValueMap():
                return Field(field.name, "map")
            case other:
                raise ValueError(f"field {field.name} has an unknown kind: {other}")

    def _nested(self, name: str, message: DescMessage, *, repeated: bool) -> Field:
        if kind := _WELL_KNOWN.get(message.type_name):
            return Field(name, kind, repeated)
        return Field(name, "message", repeated, shape=self._shape(message))


def _keep_proto_names(messages: Iterable[DescriptorProto]) -> None:
    # The API is snake_case in and out; with this lowerCamelCase is as unknown as any other name.
    for message in messages:
        for field in message.field:
            field.json_name = field.name
        _keep_proto_names(message.nested_type)


def parse_json(text: bytes) -> Any:
    """The value of a JSON text (RFC 8259, UTF-8). Raises InvalidJson, also for repeated names and NaN."""
    try:
        return _DECODER.decode(text.decode())
    except UnicodeDecodeError as fault:
        raise InvalidJson(f"The body is not UTF-8 at byte {fault.start}") from None
    except json.JSONDecodeError as fault:
        raise InvalidJson(f"{fault.msg} at line {fault.lineno}, column {fault.colno}") from None
    except RecursionError:
        raise InvalidJson("The body nests too deeply") from None
    except ValueError:
        raise InvalidJson("A number in the body has too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise InvalidJson(f'"{name[:LONGEST_NAME]}" appears twice in one object')
            seen.add(name)
    return made


def _float(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise InvalidJson(f"{text[:40]} is too large for a number")
    return number


def _constant(name: str) -> NoReturn:
    raise InvalidJson(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant, strict=True)


def _bindings(rule: Any) -> Iterator[HttpBinding]:
    pattern = rule.pattern
    if pattern is None or pattern.field == "custom" or rule.response_body:
        raise ValueError(f"unsupported google.api.http rule: {rule!r}")
    yield HttpBinding(str(pattern.field).upper(), str(pattern.value), str(rule.body))
    for more in rule.additional_bindings:
        yield from _bindings(more)


def _scalar(name: str, scalar: ScalarType, *, repeated: bool) -> Field:
    if kind := _KINDS.get(scalar):
        return Field(name, kind, repeated)
    return Field(name, "int", repeated, bounds=_bounds(scalar))


def _bounds(scalar: ScalarType) -> tuple[int, int]:
    if scalar in _SIGNED_32:
        return -(2**31), 2**31 - 1
    if scalar in _UNSIGNED_32:
        return 0, 2**32 - 1
    if scalar in _SIGNED_64:
        return -(2**63), 2**63 - 1
    if scalar in _UNSIGNED_64:
        return 0, 2**64 - 1
    raise ValueError(f"{scalar} is no whole number")


def _enum(name: str, enum: DescEnum, *, repeated: bool) -> Field:
    choices = frozenset(value.name for value in enum.values if value.number != 0)
    kind: Literal["enum"] = "enum"
    return Field(name, kind, repeated, choices=choices)
