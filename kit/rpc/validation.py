"""protovalidate's findings as faults of a request."""

from __future__ import annotations

import re
from functools import cache

from google.protobuf.message import Message
from protovalidate import Validator

from kit.errors import Fault

_AT_LEAST_ONE = re.compile(r"be at least 1 characters")
_NUL = "must not contain the character U+0000"


def with_nul(message: Message, path: str = "") -> list[Fault]:
    """Texts with a NUL character, which PostgreSQL cannot store and nobody means."""
    found: list[Fault] = []
    for field, value in message.ListFields():
        here = f"{path}.{field.name}" if path else field.name
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            values = [(f"{here}.{key}", item) for key, item in value.items()]
            found += [Fault(here, _NUL) for key in value if isinstance(key, str) and "\0" in key]
        elif field.is_repeated:
            values = [(f"{here}[{index}]", item) for index, item in enumerate(value)]
        else:
            values = [(here, value)]
        for name, item in values:
            if isinstance(item, str) and "\0" in item:
                found.append(Fault(name, _NUL))
            elif isinstance(item, Message):
                found += with_nul(item, name)
    return found


@cache
def _validator() -> Validator:
    """One for the process: it compiles the rules of each message at first use, which takes 10 ms and more."""
    return Validator()


class RequestValidator:
    """Checks messages against the rules in the protos."""

    def __init__(self) -> None:
        self._validator = _validator()

    def faults(self, message: Message) -> list[Fault]:
        found = []
        for violation in self._validator.collect_violations(message):
            path = ""
            proto = violation.proto
            if proto.field is not None:
                for element in proto.field.elements:
                    path += ("." if path else "") + element.field_name
                    subscript = element.subscript
                    if subscript is not None and subscript.value is not None:
                        path += f"[{subscript.value}]"
            found.append(Fault(path, _AT_LEAST_ONE.sub("not be empty", proto.message) or proto.rule_id))
        return found
