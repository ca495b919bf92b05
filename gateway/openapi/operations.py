"""One RPC with an HTTP rule as an operation of the description."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from gateway.openapi import examples
from gateway.openapi.contract import Body, Contract, Field, Operation
from gateway.openapi.conventions import TAGS
from gateway.openapi.errors import Errors, reasons_of
from gateway.openapi.links import VARIABLE, links_of, operation_id
from gateway.openapi.pages import IF_NONE_MATCH
from gateway.openapi.schemas import ANSWER, REQUEST, Schemas, short

JSON = Any

_JSON: Final = "application/json"
_LEVELS: Final = {
    "user": "Any signed-in user; it is about what belongs to the caller.",
    "view": "The right to *view* the session.",
    "edit": "The right to *edit* the session.",
    "collaborate": "The right to *collaborate* on the session.",
    "owner": "The owner of the session.",
    "admin": "A token with scope `admin`.",
}
_EVENTS: Final = "text/event-stream"
_NDJSON: Final = "application/x-ndjson"
_LAST_EVENT_ID: Final = "LastEventId"
_OF_UNCHANGED: Final = ("ETag", "Vary", "Accept-Ranges")


class Operations:
    """Describes operations; schemas and error responses that they need are collected."""

    _error: Final = {"$ref": "#/components/schemas/Error"}

    def __init__(self, contract: Contract, schemas: Schemas, errors: Errors) -> None:
        self._contract = contract
        self._schemas = schemas
        self._errors = errors

    def describe(self, operation: Operation) -> dict[str, JSON]:
        """The operation object."""
        taken = tuple(VARIABLE.findall(operation.template))
        made: dict[str, JSON] = {
            "operationId": operation_id(operation),
            "tags": [TAGS[operation.service.rpartition(".")[2]]],
            "summary": " ".join(re.findall("[A-Z][a-z]*", operation.name)).capitalize(),
            "description": _description(operation),
            "parameters": self._parameters(operation, taken),
        }
        if operation.has_body:
            made["requestBody"] = self._request(operation, taken)
        success = {str(operation.success): self._success(operation)}
        if operation.is_conditional:
            success["304"] = _unchanged(operation)
        made["responses"] = {**success, **self._errors.responses(reasons_of(operation))}
        return made

    def _parameters(self, operation: Operation, taken: tuple[str, ...]) -> list[JSON]:
        made = [_in_path(name) for name in taken]
        if not operation.has_body:
            fields = self._contract.messages[operation.input].fields
            made += [self._in_query(field) for field in fields if field.name not in taken]
        if operation.takes_key:
            made.append({"$ref": "#/components/parameters/IdempotencyKey"})
        if any(body.media_type == _EVENTS for body in operation.gives):
            made.append({"$ref": f"#/components/parameters/{_LAST_EVENT_ID}"})
        if operation.is_conditional:
            made.append(IF_NONE_MATCH)
        made.append({"$ref": "#/components/parameters/RequestId"})
        return made

    def _in_query(self, field: Field) -> dict[str, JSON]:
        schema, is_required = self._schemas.parameter(field)
        made: dict[str, JSON] = {"name": field.name, "in": "query", "required": is_required}
        made["description"] = field.comment or _PARAMETERS[field.name]
        made["schema"] = schema
        if field.name in examples.PARAMETERS:
            made["example"] = examples.PARAMETERS[field.name]
        return made

    def _request(self, operation: Operation, taken: tuple[str, ...]) -> dict[str, JSON]:
        if operation.streams_in:
            content = {body.media_type: self._streamed_request(body) for body in operation.takes}
            return {"required": True, "content": content}
        name = short(operation.input)
        schema = self._schemas.body(operation.input, taken)
        example = {"summary": "An example", "value": examples.REQUESTS[name]}
        fields = self._contract.messages[operation.input].fields
        required = any(self._schemas.parameter(field)[1] for field in fields if field.name not in taken)
        return {"required": required, "content": {_JSON: {"schema": schema, "examples": {name: example}}}}

    def _streamed_request(self, body: Body) -> dict[str, JSON]:
        if body.media_type == "multipart/form-data":
            return {"schema": self._schemas.ref(body.schema, REQUEST)}
        example = examples.REQUESTS[short(body.schema)]
        return {"schema": self._lines(body, REQUEST), "example": _lines_of(example)}

    def _success(self, operation: Operation) -> dict[str, JSON]:
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _header_names(operation)}
        if not operation.streams_out:
            content = {_JSON: self._answered(Body(_JSON, operation.output, ""))}
        else:
            content = {}
            frames = [body for body in operation.gives if body.media_type == _EVENTS]
            if frames:
                content[_EVENTS] = self._frames(frames)
            for body in operation.gives:
                if body not in frames:
                    content[body.media_type] = _either(content.get(body.media_type), self._answered(body))
        description = "Done." if operation.success == 200 else "Made."
        said = [f"`{body.media_type}`: {body.when}" for body in operation.gives if body.when]
        made = {"description": " ".join([description, *said]), "headers": headers, "content": content}
        if operation.has_location:
            answer = self._contract.messages[operation.output]
            made["links"] = links_of(operation, answer, self._contract.operations)
        return made

    def _answered(self, body: Body) -> dict[str, JSON]:
        if body.media_type == _NDJSON:
            return {
                "schema": self._lines(body, ANSWER),
                "example": _lines_of(examples.answer(self._schemas, body.schema)),
            }
        if body.schema:
            example = {"summary": body.when or "An example", "value": examples.answer(self._schemas, body.schema)}
            return {"schema": self._schemas.ref(body.schema, ANSWER), "examples": {short(body.schema): example}}
        if body.media_type.startswith("text/"):
            return {"schema": {"type": "string"}, "example": "# Carbonate chemistry\n\nThe buffer factor …\n"}
        return {"schema": {"type": "string", "format": "binary"}}

    def _frames(self, bodies: list[Body]) -> dict[str, JSON]:
        """Of one event of a stream, as its fields: a description has no other place for it."""
        held = [self._error if body.schema == "Error" else self._schemas.ref(body.schema, ANSWER) for body in bodies]
        data = {"type": "string", "contentMediaType": _JSON, "contentSchema": {"anyOf": held}}
        schema = {
            "type": "object",
            "description": "A frame.",
            "required": ["data"],
            "properties": {"id": {"type": "string", "pattern": "^[0-9]+$"}, "event": {"type": "string"}, "data": data},
        }
        example = _frame_of(examples.answer(self._schemas, bodies[0].schema))
        return {"schema": schema, "examples": {short(bodies[0].schema): {"summary": "A frame", "value": example}}}

    def _lines(self, body: Body, variant: str) -> dict[str, JSON]:
        return {
            "type": "string",
            "description": body.when,
            "contentMediaType": _JSON,
            "contentSchema": self._schemas.ref(body.schema, variant),
        }


def _either(known: dict[str, JSON] | None, more: dict[str, JSON]) -> dict[str, JSON]:
    if known is None:
        return more
    either = {"anyOf": [known["schema"], more["schema"]]}
    return {"schema": either, "examples": {**known["examples"], **more["examples"]}}


def _header_names(operation: Operation) -> list[str]:
    names = ["X-Request-Id", "RateLimit", "RateLimit-Policy", "Cache-Control"]
    if operation.has_location:
        names.append("Location")
    if operation.is_file:
        names.append("Content-Disposition")
    if operation.is_conditional:
        names += [*_OF_UNCHANGED, "Content-Length"]
    return names


def _unchanged(operation: Operation) -> dict[str, JSON]:
    names = [name for name in _header_names(operation) if name not in ("Content-Disposition", "Content-Length")]
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {"description": "The caller has it already; there is no body.", "headers": headers}


def _in_path(name: str) -> dict[str, JSON]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PARAMETERS[name],
        "schema": {"type": "string", "minLength": 1},
        "example": examples.PARAMETERS[name],
    }


def _description(operation: Operation) -> str:
    said = operation.comment.removeprefix(operation.name).strip()
    said = said[:1].upper() + said[1:]
    needs = f"**Needs:** {_LEVELS[operation.level]}"
    if operation.reads:
        needs += " A token with scope `read` is enough."
    return f"{said}\n\n{needs}"


def _frame_of(value: dict[str, JSON]) -> dict[str, str]:
    return {"id": str(value["seq"]), "event": value["type"], "data": _compact(value)}


def _lines_of(value: dict[str, JSON]) -> str:
    return _compact(value) + "\n"


def _compact(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_PARAMETERS: Final = {
    "session_id": "The session's id. One that is not a session's, or not one that you may see, is answered alike.",
    "document_id": "The document's id.",
    "comment_id": "The comment's id.",
    "share_id": "The share's id.",
    "style_id": "The id of one of your styles, or the name of another.",
    "token": "The last part of a share URL.",
    "status": "Only sessions with this status.",
    "session_type": "Only sessions of this type.",
    "comment_type": "Only comments of this type.",
    "date_from": "Only what was created then or later.",
    "date_to": "Only what was created then or earlier.",
    "page": "The number of the page, from 1.",
    "limit": "How many on a page; 20 when it is left out.",
    "cursor": "`next_cursor` of the answer before: goes on without skipping or repeating while the list grows.",
    "scope": "`owned` (default): your own; `shared`: shared with you; `all`: both.",
    "include_raw_data": "Also what was gathered on the way.",
}
"""What parameters mean that have no comment in the proto."""
