"""protovalidate's findings as faults of a request."""

from __future__ import annotations

from google.protobuf.message import Message
from protovalidate import Validator

from kit.errors import Fault, ValidationError


class RequestValidator:
    """Checks messages against the rules in the protos. Raises ValidationError with all faults at once."""

    def __init__(self) -> None:
        self._validator = Validator()

    def check(self, message: Message) -> None:
        faults = self.faults(message)
        if faults:
            raise ValidationError(faults)

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
            found.append(Fault(path, proto.message or proto.rule_id))
        return found
