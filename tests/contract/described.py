"""Whether an answer is one that the API's description promises: status, media type, headers, every field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import jsonschema_rs

from gateway.openapi.document import build
from tests.support.rest import Answer
from tests.support.stack import ROOT

JSON = Any

# Engines add members of their own to what they find; all other answers are described whole.
_OPEN: Final = frozenset(
    {"ResultsAnswer", "Results", "Section", "Claim", "Finding", "Table", "Figure", "Citation", "Passage", "Error"}
)


@cache
def document() -> dict[str, JSON]:
    """The description of the protos as they are."""
    return build((ROOT / "gen" / "descriptors.binpb").read_bytes())


def operations() -> Iterator[tuple[str, str, JSON]]:
    """(verb, path, operation) of the whole description."""
    for path, item in document()["paths"].items():
        for verb, operation in item.items():
            yield verb.upper(), path, operation


def resolved(item: JSON) -> JSON:
    """What a reference stands for."""
    while "$ref" in item:
        _, _, kind, name = item["$ref"].split("/")
        item = document()["components"][kind][name]
    return item


@cache
def _closed() -> dict[str, JSON]:
    """The components, in which objects have no fields but those that are described."""
    components: dict[str, JSON] = json.loads(json.dumps(document()["components"]))
    for name, schema in components["schemas"].items():
        if name not in _OPEN and "properties" in schema:
            schema["additionalProperties"] = False
    return components


class _Schema:
    def __init__(self, schema: JSON) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(
            {**schema, "components": _closed()}, validate_formats=True, ignore_unknown_formats=True
        )

    def faults(self, value: JSON) -> list[str]:
        return [f"{'/'.join(map(str, one.instance_path))}: {one.message}" for one in self._validator.iter_errors(value)]


@cache
def _patterns() -> list[tuple[re.Pattern[str], str, dict[str, JSON]]]:
    """What paths look like; those without variables come first."""
    made = []
    for path, item in sorted(document()["paths"].items(), key=lambda entry: entry[0].count("{")):
        made.append((re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(path))), path, item))
    return made


def operation_at(method: str, path: str) -> JSON | None:
    """The operation that answers there, if any does."""
    for pattern, _, item in _patterns():
        if pattern.fullmatch(path) and method.lower() in item:
            return item[method.lower()]
    return None


@cache
def _schema_of(operation_id: str, status: str, media_type: str) -> _Schema:
    operation = next(one for _, _, one in operations() if one["operationId"] == operation_id)
    return _Schema(resolved(operation["responses"][status])["content"][media_type]["schema"])


def faults_of(answer: Answer) -> list[str]:
    """What is not as described; nothing for a path or verb that there is not."""
    operation = operation_at(answer.method, answer.path)
    if operation is None:
        return []
    status = str(answer.status)
    if status not in operation["responses"]:
        return [f"status {status} is not described"]
    response = resolved(operation["responses"][status])
    found = [
        f"header {name} is missing"
        for name, header in response.get("headers", {}).items()
        if resolved(header).get("required") and name not in answer.headers
    ]
    content = response.get("content", {})
    if not content:
        return found
    if answer.media_type not in content:
        return [*found, f"media type {answer.media_type} is not described"]
    schema = _schema_of(operation["operationId"], status, answer.media_type)
    if answer.media_type == "application/json":
        return [*found, *schema.faults(answer.body)]
    if answer.media_type in ("text/event-stream", "application/x-ndjson"):
        return [*found, *_pieces(answer, content[answer.media_type]["schema"], schema)]
    return found


def _pieces(answer: Answer, described: Mapping[str, JSON], schema: _Schema) -> Iterator[str]:
    """Faults of frames or lines, and of the JSON in them."""
    if answer.media_type == "application/x-ndjson":
        inner = _Schema(described["contentSchema"])
        for line in answer.text.splitlines():
            yield from inner.faults(json.loads(line))
        return
    inner = _Schema(described["properties"]["data"]["contentSchema"])
    for frame in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.split("\n") if line and not line.startswith(":"))
        fields.pop("retry", None)
        if fields:
            yield from schema.faults(fields)
            yield from inner.faults(json.loads(fields["data"]))
