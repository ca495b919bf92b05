"""The contract as plain values, with its comments: what the description of the API is made from.

With `gateway.json_codec` the only module that knows protobuf-py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from protobuf import Message as AnyMessage
from protobuf import Registry
from protobuf.wkt import FileDescriptorSet

_OWN: Final = "prsm."
# google.protobuf.FieldDescriptorProto.Type
_TYPES: Final = {1: "double", 5: "int32", 8: "bool", 9: "string", 11: "message", 12: "bytes", 14: "enum"}
_REPEATED: Final = 3
OTHER: Final = "other"
"""A field type that only messages between services have."""
# Numbers of the fields in descriptor.proto by which source_code_info names a place.
_FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 4, 5, 6
_MESSAGE_FIELD, _MESSAGE_NESTED, _MESSAGE_ENUM = 2, 3, 4
_ENUM_VALUE, _SERVICE_METHOD = 2, 2

Options = Mapping[str, Any]
"""An option as its JSON: lowerCamelCase names, 64-bit numbers as strings, what is not set left out."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `kind` is a scalar's name, `enum`, `message` or `map`; `type_name` whose message, enum or map value.

    `presence` tells whether an unset value differs from the default; `rules` are protovalidate's, `shown` is
    `prsm.options.v1.Shown`.
    """

    name: str
    kind: str
    type_name: str
    repeated: bool
    presence: bool
    comment: str
    rules: Options
    shown: Options


@dataclass(frozen=True, slots=True)
class Message:
    """`forms` are the ways in which it may be sent, each as the names of its fields, and whether `several` at once."""

    type_name: str
    comment: str
    fields: tuple[Field, ...]
    forms: tuple[tuple[str, ...], ...]
    several: bool


@dataclass(frozen=True, slots=True)
class Enum:
    """`values` are (name, comment), without the one that stands for nothing."""

    type_name: str
    comment: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Body:
    """One form of a streamed body; see `prsm.options.v1.Body`."""

    media_type: str
    schema: str
    when: str


@dataclass(frozen=True, slots=True)
class Reason:
    """An error as REST shows it; `retry_after` is in seconds, 0 for no such header."""

    name: str
    status: int
    message: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An RPC with its HTTP rule; `reasons` are the keys of its own errors."""

    service: str
    name: str
    comment: str
    input: str
    output: str
    streams_in: bool
    streams_out: bool
    verb: str
    template: str
    has_body: bool
    level: str
    success: int
    reads: bool
    takes_key: bool
    reasons: tuple[str, ...]
    takes: tuple[Body, ...]
    gives: tuple[Body, ...]
    has_location: bool
    is_file: bool
    is_conditional: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """All of it. `services` are comments by full name, in the order of the files."""

    operations: tuple[Operation, ...]
    messages: Mapping[str, Message]
    enums: Mapping[str, Enum]
    reasons: Mapping[str, Reason]
    services: Mapping[str, str]

    @classmethod
    def from_bytes(cls, descriptors: bytes) -> Contract:
        """Read a serialized FileDescriptorSet with source information. Raises ValueError when it is none."""
        files = FileDescriptorSet.from_binary(descriptors)
        reader = _Reader(files.to_registry())
        for file in files.file:
            if file.package.startswith(_OWN):
                reader.read(file)
        return cls(tuple(reader.operations), reader.messages, reader.enums, reader.reasons, reader.services)


class _Reader:
    """Collects what the files hold."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.operations: list[Operation] = []
        self.messages: dict[str, Message] = {}
        self.enums: dict[str, Enum] = {}
        self.reasons: dict[str, Reason] = {}
        self.services: dict[str, str] = {}
        self._comments: dict[tuple[int, ...], str] = {}

    def read(self, file: Any) -> None:
        places = file.source_code_info.location if file.source_code_info else ()
        self._comments = {tuple(place.path): _text(place.leading_comments) for place in places}
        for index, message in enumerate(file.message_type):
            self._message(message, file.package, (_FILE_MESSAGE, index))
        for index, enum in enumerate(file.enum_type):
            self._enum(enum, file.package, (_FILE_ENUM, index))
        for index, service in enumerate(file.service):
            self._service(service, file.package, (_FILE_SERVICE, index))

    def _comment(self, *path: int) -> str:
        return self._comments.get(path, "")

    def _option(self, proto: Any, extension: str) -> Options:
        known: Any = self._registry.extension(extension)
        options = proto.options
        if known is None or options is None or known.type not in options:
            return {}
        value: AnyMessage = options[known.type]
        shown: dict[str, Any] = json.loads(value.to_json(registry=self._registry))
        return shown

    def _message(self, proto: Any, scope: str, path: tuple[int, ...]) -> None:
        name = f"{scope}.{proto.name}"
        maps = {
            f".{name}.{nested.name}": nested
            for nested in proto.nested_type
            if nested.options is not None and nested.options.map_entry
        }
        fields = tuple(self._field(field, maps, (*path, _MESSAGE_FIELD, i)) for i, field in enumerate(proto.field))
        option = self._option(proto, "prsm.options.v1.forms")
        forms = tuple(tuple(form.split()) for form in option.get("form", ()))
        self.messages[name] = Message(name, self._comment(*path), fields, forms, option.get("several", False))
        for index, nested in enumerate(proto.nested_type):
            if f".{name}.{nested.name}" not in maps:
                self._message(nested, name, (*path, _MESSAGE_NESTED, index))
        for index, enum in enumerate(proto.enum_type):
            self._enum(enum, name, (*path, _MESSAGE_ENUM, index))

    def _field(self, proto: Any, maps: Mapping[str, Any], path: tuple[int, ...]) -> Field:
        kind, type_name = self._kind(proto)
        is_map = proto.type_name in maps
        if is_map:
            value = maps[proto.type_name].field[1]
            of, type_name = self._kind(value)
            kind, type_name = "map", type_name or of
        repeated = int(proto.label or 0) == _REPEATED and not is_map
        return Field(
            name=proto.name,
            kind=kind,
            type_name=type_name,
            repeated=repeated,
            presence=bool(proto.proto3_optional) or (kind == "message" and not repeated),
            comment=self._comment(*path),
            rules=self._option(proto, "buf.validate.field"),
            shown=self._option(proto, "prsm.options.v1.shown"),
        )

    def _kind(self, proto: Any) -> tuple[str, str]:
        return _TYPES.get(int(proto.type), OTHER), proto.type_name.removeprefix(".")

    def _enum(self, proto: Any, scope: str, path: tuple[int, ...]) -> None:
        name = f"{scope}.{proto.name}"
        values = []
        for index, value in enumerate(proto.value):
            if shown := self._option(value, "prsm.errors.v1.mapping"):
                self.reasons[value.name] = _reason(shown)
            if value.number != 0:
                values.append((value.name, self._comment(*path, _ENUM_VALUE, index)))
        self.enums[name] = Enum(name, self._comment(*path), tuple(values))

    def _service(self, proto: Any, package: str, path: tuple[int, ...]) -> None:
        name = f"{package}.{proto.name}"
        made = [
            self._operation(method, name, self._comment(*path, _SERVICE_METHOD, index), http)
            for index, method in enumerate(proto.method)
            for http in _bindings(self._option(method, "google.api.http"))
        ]
        if made:
            self.services[name] = self._comment(*path)
            self.operations += made

    def _operation(self, proto: Any, service: str, comment: str, http: tuple[str, str, bool]) -> Operation:
        rule = self._option(proto, "prsm.options.v1.rule")
        rest = self._option(proto, "prsm.options.v1.rest")
        verb, template, has_body = http
        return Operation(
            service=service,
            name=proto.name,
            comment=comment,
            input=proto.input_type.removeprefix("."),
            output=proto.output_type.removeprefix("."),
            streams_in=bool(proto.client_streaming),
            streams_out=bool(proto.server_streaming),
            verb=verb,
            template=template,
            has_body=has_body,
            level=str(rule["level"]).removeprefix("LEVEL_").lower(),
            success=rule.get("successStatus", 200),
            reads=rule.get("reads", False),
            takes_key=rule.get("idempotencyKey", False),
            reasons=tuple(rest.get("reasons", ())),
            takes=tuple(_body(body) for body in rest.get("takes", ())),
            gives=tuple(_body(body) for body in rest.get("gives", ())),
            has_location=rest.get("location", False),
            is_file=rest.get("file", False),
            is_conditional=rest.get("conditional", False),
        )


def _bindings(rule: Options) -> Iterator[tuple[str, str, bool]]:
    for verb in ("get", "post", "put", "patch", "delete"):
        if verb in rule:
            yield verb, rule[verb], "body" in rule
    for more in rule.get("additionalBindings", ()):
        yield from _bindings(more)


def _body(shown: Options) -> Body:
    return Body(shown["mediaType"], shown.get("schema", ""), shown.get("when", ""))


def _reason(shown: Options) -> Reason:
    return Reason(shown["name"], shown["http"], shown["message"], shown.get("retryAfter", 0))


def _text(comment: str) -> str:
    """A comment as one line."""
    return " ".join(comment.split())
