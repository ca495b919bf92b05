"""The table `rest_api.yaml` as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

JSON = Any
TABLE = Path(__file__).parent / "rest_api.yaml"


@dataclass(frozen=True)
class Bad:
    """A value that is refused, and the field that the refusal names; whether it is a field that there is not."""

    value: JSON
    names: str
    unknown: bool = False


@dataclass(frozen=True)
class Parameter:
    """A request field or query parameter. `error` is the name of the refusal."""

    name: str
    type: str
    required: bool
    good: tuple[JSON, ...]
    bad: tuple[Bad, ...]
    error: str


@dataclass(frozen=True)
class ResponseField:
    """`given` and `absent` are scenarios: the field is there in the first and not in the second."""

    path: str
    type: str
    value: JSON = None
    values: tuple[JSON, ...] = ()
    given: str = ""
    absent: str = ""


@dataclass(frozen=True)
class ErrorCase:
    """One way to an error; what is empty is as in the good call."""

    code: int
    error: str
    caller: str = ""
    given: str = ""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | None] = field(default_factory=dict)
    body: Mapping[str, JSON] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    names: str = ""
    details: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What distinguishes it, for the name of a test."""
        changes = [f"{key}={value}" for part in (self.path, self.query, self.body) for key, value in part.items()]
        words = [str(self.code), self.error, self.caller, self.given, *changes, *self.headers.values()]
        return "-".join(word for word in words if word)[:100]


@dataclass(frozen=True)
class Endpoint:
    """A row of the table; see the comment at its head."""

    name: str
    rpc: str
    method: str
    path: str
    level: str
    given: str
    success: int
    heading: str = ""
    body: Mapping[str, JSON] | None = None
    location: str = ""
    location_verb: str = "GET"
    idempotency: bool = False
    own: str = ""
    media_type: str = "application/json"
    media_types: Mapping[str, str] = field(default_factory=dict)
    request: tuple[Parameter, ...] = ()
    query: tuple[Parameter, ...] = ()
    response: tuple[ResponseField, ...] = ()
    statuses: tuple[int, ...] = ()
    errors: tuple[ErrorCase, ...] = ()

    @property
    def takes_json(self) -> bool:
        return self.method in ("POST", "PATCH") and self.name not in ("upload_documents", "batch_documents")

    @property
    def on_session(self) -> bool:
        """Whether it is about one session that can be shared."""
        return self.level != "user"


@dataclass(frozen=True)
class Table:
    """All of it."""

    session_types: tuple[str, ...]
    status_values: Mapping[str, str]
    common_error_codes: Mapping[str, int]
    error_codes: Mapping[str, int]
    error_body: Mapping[str, str]
    endpoints: tuple[Endpoint, ...]

    def endpoint(self, name: str) -> Endpoint:
        return next(endpoint for endpoint in self.endpoints if endpoint.name == name)


@cache
def load() -> Table:
    """Read the table. Raises TypeError for a key that it does not know."""
    raw = yaml.load(TABLE.read_text(), yaml.CSafeLoader)
    return Table(
        session_types=tuple(raw["session_types"]),
        status_values=raw["status_values"],
        common_error_codes=raw["common_error_codes"],
        error_codes=raw["error_codes"],
        error_body=raw["error_body"],
        endpoints=tuple(_endpoint(dict(row)) for row in raw["endpoints"]),
    )


def _endpoint(row: dict[str, JSON]) -> Endpoint:
    request = {**row.pop("request", {}), **row.pop("added_request", {})}
    query = {**row.pop("query", {}), **row.pop("added_query", {})}
    response = {**row.pop("response", {}), **row.pop("added_response", {})}
    statuses = (*row.pop("statuses", ()), *row.pop("added_statuses", ()))
    return Endpoint(
        request=tuple(_parameter(name, spec) for name, spec in request.items()),
        query=tuple(_parameter(name, spec) for name, spec in query.items()),
        response=tuple(_response_field(path, spec) for path, spec in response.items()),
        statuses=statuses,
        errors=tuple(_error(spec) for spec in row.pop("errors")),
        **row,
    )


def _parameter(name: str, spec: dict[str, JSON]) -> Parameter:
    bad = tuple(_bad(name, value) for value in spec["bad"])
    error = spec.get("error", "validation_error")
    return Parameter(name, spec["type"], spec.get("required", False), tuple(spec["good"]), bad, error)


def _bad(name: str, value: JSON) -> Bad:
    if isinstance(value, dict) and "names" in value:
        return Bad(**value)
    return Bad(value, name)


def _response_field(path: str, spec: JSON) -> ResponseField:
    if isinstance(spec, str):
        return ResponseField(path, spec)
    spec = dict(spec)
    return ResponseField(path, values=tuple(spec.pop("values", ())), **spec)


def _error(spec: dict[str, JSON]) -> ErrorCase:
    return ErrorCase(**{**spec, "details": tuple(spec.get("details", ()))})
