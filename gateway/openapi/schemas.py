"""JSON Schemas (draft 2020-12) of messages, as requests take them and as answers show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gateway.openapi.contract import OTHER, Contract, Enum, Field, Message
from gateway.openapi.conventions import DECIMAL_PATTERN, format_of

Schema = dict[str, Any]

REQUEST: Final = "request"
ANSWER: Final = "answer"
_INT32: Final = (-(2**31), 2**31 - 1)
_WELL_KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
}
_SCALARS: Final[dict[str, Schema]] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "double": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "binary"},
}


def short(type_name: str) -> str:
    """`prsm.session.v1.Session.Status` is `SessionStatus`."""
    parts = type_name.split(".")
    return "".join(part for part in parts if part[0].isupper())


class Schemas:
    """Collects the schemas that are asked for; `components` holds them by name, once everything was asked for."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._asked: dict[tuple[str, str], None] = {}
        self._taken: dict[str, tuple[str, ...]] = {}

    def ref(self, type_name: str, variant: str) -> Schema:
        """A reference to the schema of a message. Raises ValueError for one that there is not."""
        if type_name not in self._contract.messages and type_name not in self._contract.enums:
            raise ValueError(f"there is no message {type_name}")
        self._ask(type_name, variant)
        return {"$ref": f"#/components/schemas/{self._name(type_name, variant)}"}

    def body(self, type_name: str, taken: tuple[str, ...]) -> Schema:
        """A reference to the schema of a request body, whose `taken` fields the path fills."""
        if self._taken.setdefault(type_name, taken) != taken:
            raise ValueError(f"{type_name} is the body of operations with different paths")
        return self.ref(type_name, REQUEST)

    def components(self) -> dict[str, Schema]:
        """The schemas by name. Raises ValueError when two types would have the same."""
        made: dict[str, Schema] = {}
        seen: dict[str, str] = {}
        for type_name, variant in list(self._asked):
            name = self._name(type_name, variant)
            if seen.setdefault(name, type_name) != type_name:
                raise ValueError(f"{type_name} and {seen[name]} would both be called {name}")
            made[name] = self._component(type_name, variant)
        return dict(sorted(made.items()))

    def message(self, type_name: str) -> Message:
        """A message of the contract."""
        return self._contract.messages[type_name]

    def enum(self, type_name: str) -> Enum:
        """An enum of the contract."""
        return self._contract.enums[type_name]

    def parameter(self, field: Field) -> tuple[Schema, bool]:
        """(schema, whether it is required) of a field that comes as a query parameter."""
        schema = self._value(field, REQUEST)
        return (schema if not field.repeated else self._list(field, schema), is_required(field, REQUEST))

    def _ask(self, type_name: str, variant: str) -> None:
        if (type_name, variant) in self._asked:
            return
        self._asked[type_name, variant] = None
        for field in self._fields(type_name):
            if self._is_own(field.type_name):
                self._ask(field.type_name, variant)

    def _fields(self, type_name: str) -> tuple[Field, ...]:
        message = self._contract.messages.get(type_name)
        return message.fields if message is not None else ()

    def _is_own(self, type_name: str) -> bool:
        return type_name in self._contract.messages or type_name in self._contract.enums

    def _name(self, type_name: str, variant: str) -> str:
        # What is sent and what is answered differ: nothing has to be sent that is always answered.
        is_both = variant == REQUEST and not type_name.endswith(("Request", "Form"))
        return short(type_name) + ("Given" if is_both and type_name in self._contract.messages else "")

    def _component(self, type_name: str, variant: str) -> Schema:
        if enum := self._contract.enums.get(type_name):
            return _described({"type": "string", "enum": [name for name, _ in enum.values]}, _of_values(enum))
        message = self._contract.messages[type_name]
        schema: Schema = {"type": "object"}
        fields = [field for field in message.fields if field.name not in self._taken.get(type_name, ())]
        required = [field.name for field in fields if is_required(field, variant)]
        if required:
            schema["required"] = required
        schema["properties"] = {field.name: self.property(field, variant) for field in fields}
        if variant == REQUEST:
            schema["additionalProperties"] = False
            if message.forms:
                which = "anyOf" if message.several else "oneOf"
                schema[which] = [{"required": list(form)} for form in message.forms]
        return _described(schema, message.comment)

    def property(self, field: Field, variant: str) -> Schema:
        """The schema of one field of an object."""
        schema = self._value(field, variant)
        if field.repeated:
            schema = self._list(field, schema)
        is_open = variant == REQUEST and not is_required(field, variant)
        if is_open or (variant == ANSWER and field.shown.get("nullable")):
            schema = _or_null(schema)
        return _described(schema, field.comment)

    def _list(self, field: Field, items: Schema) -> Schema:
        rules = field.rules.get("repeated", {})
        schema: Schema = {"type": "array", "items": items}
        if "minItems" in rules:
            schema["minItems"] = int(rules["minItems"])
        if "maxItems" in rules:
            schema["maxItems"] = int(rules["maxItems"])
        if rules.get("unique"):
            schema["uniqueItems"] = True
        return schema

    def _value(self, field: Field, variant: str) -> Schema:
        match field.kind:
            case "map":
                of = dict(_SCALARS.get(field.type_name) or self.ref(field.type_name, variant))
                return {"type": "object", "additionalProperties": of}
            case "enum":
                return self.ref(field.type_name, variant)
            case "message":
                known = _WELL_KNOWN.get(field.type_name)
                return dict(known) if known is not None else self.ref(field.type_name, variant)
            case kind if kind != OTHER:
                return _ruled(dict(_SCALARS[kind]), field, variant)
            case _:
                raise ValueError(f"field {field.name} has a type that REST does not show")


def is_required(field: Field, variant: str) -> bool:
    """Whether an object must have the field.

    In a request: the rules refuse what stands for a field that was not sent. In an answer: the field is always printed.
    """
    if variant == ANSWER:
        return not field.presence or bool(field.shown.get("always"))
    if field.shown.get("required"):
        return True
    if field.presence or field.rules.get("ignore"):
        return False
    text, items = field.rules.get("string", {}), field.rules.get("repeated", {})
    return "minLen" in text or "in" in text or "minItems" in items


def _ruled(schema: Schema, field: Field, variant: str) -> Schema:
    if field.kind == "string":
        schema.update(_text(field, variant))
    elif field.kind == "int32":
        rules = field.rules.get("int32", {})
        low, high = rules.get("gte"), rules.get("lte")
        if variant == REQUEST:
            low, high = low if low is not None else _INT32[0], high if high is not None else _INT32[1]
        if low is not None:
            schema["minimum"] = low
        if high is not None:
            schema["maximum"] = high
    return schema


def _text(field: Field, variant: str) -> Iterator[tuple[str, Any]]:
    rules = field.rules.get("string", {})
    if field.repeated:
        rules = field.rules.get("repeated", {}).get("items", {}).get("string", {})
    if variant == ANSWER:
        if known := format_of(field.name):
            yield "format", known
            if known == "decimal":
                yield "pattern", DECIMAL_PATTERN
        return
    if "choices" in field.shown:
        yield "enum", field.shown["choices"].split(",")
        return
    if "in" in rules:
        # The empty text stands for a field that was not sent.
        yield "enum", [*rules["in"], *([""] if field.rules.get("ignore") else [])]
        return
    if "minLen" in rules:
        yield "minLength", int(rules["minLen"])
    if "maxLen" in rules:
        yield "maxLength", int(rules["maxLen"])
    if "pattern" in field.shown:
        yield "pattern", field.shown["pattern"]


def _or_null(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    schema = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _described(schema: Schema, text: str) -> Schema:
    if not text:
        return schema
    return {**schema, "description": text}


def _of_values(enum: Enum) -> str:
    said = "; ".join(f"`{name}`: {comment}" for name, comment in enum.values if comment)
    return " ".join(part for part in (enum.comment, said) if part)
