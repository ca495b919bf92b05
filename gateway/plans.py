"""Everything about a route that does not depend on the request, worked out once at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.calls import Backends, Caller
from gateway.errors import InvalidBody
from gateway.json_codec import Codec, InvalidJson, Undecodable, parse_json
from gateway.query import QueryReader
from gateway.routes import Route
from kit.errors import UnsupportedMediaType, ValidationError

_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a route's requests are read and called."""

    route: Route
    caller: Caller
    input: Codec
    output: Codec
    query: QueryReader

    def request(self, values: dict[str, str], query: str, body: bytes) -> bytes:
        """The request message. Raises ValidationError or InvalidBody.

        The path's values are written last: of a scalar field that comes twice, protobuf takes the last.
        """
        value = self.query.read(query) if query else {}
        try:
            if body:
                given = parse_json(body)
                _refuse_other(given, values)
                return self.input.encode(given) + self.input.encode(values)
            value.update(values)
            return self.input.encode(value)
        except InvalidJson as error:
            raise InvalidBody(str(error)) from None
        except Undecodable as error:
            raise ValidationError([error.fault]) from None


def plan_of(route: Route, backends: Backends) -> Plan:
    """The plan of a route."""
    shape = None if route.has_body else route.method.input.shape
    query = QueryReader(shape, taken=frozenset(route.path_fields))
    return Plan(route, backends.caller(route), route.method.input, route.method.output, query)


def require_json(headers: Mapping[str, str]) -> None:
    """Raise UnsupportedMediaType unless a body says that it is plain JSON, in UTF-8."""
    content_type = headers.get("Content-Type", "")
    if content_type != _JSON:
        kind, _, parameters = content_type.partition(";")
        charset = parameters.replace(" ", "").lower()
        if kind.strip().lower() != _JSON or charset not in ("", "charset=utf-8", 'charset="utf-8"'):
            raise UnsupportedMediaType()
    if headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding")


def _refuse_other(given: Any, values: dict[str, str]) -> None:
    if isinstance(given, dict):
        for name, value in values.items():
            if given.get(name, value) != value:
                raise ValidationError.of(name, "differs from the path")
