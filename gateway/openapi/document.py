"""The description of the REST API: an OpenAPI 3.1 document, made from the contract alone."""

from __future__ import annotations

from typing import Any, Final

from gateway.openapi.contract import Contract
from gateway.openapi.conventions import OPERATIONS_TAG, TAGS
from gateway.openapi.errors import SCHEMA, Errors
from gateway.openapi.operations import Operations
from gateway.openapi.pages import PAGES, PROBLEM_HEADERS
from gateway.openapi.schemas import Schemas

JSON = Any

VERSION: Final = "0.1.0"
"""The release whose API this is; the same as the package's."""
_DESCRIPTION: Final = """\
Long-running, paid, resumable research sessions: create one, watch it, read what it found with its sources, export it, \
share it.

- Send a JSON Web Token as `Authorization: Bearer …` or in `X-API-Key`. The claim `scope` narrows it: `read` allows \
reading only.
- Field names are snake_case. Documented fields are always there; those that may be absent say when.
- Amounts are exact decimal strings with 2 to 6 places (`"12.50"`), never JSON numbers. Moments are RFC 3339 in UTC.
- Every error is the same object: decide by `error`, show `message`, quote `request_id`.
- Send `Idempotency-Key` with a POST to make repeating it safe for at least 24 hours.
- Unknown query parameters and unknown fields of a body are refused. Answers may get further fields at any time: \
ignore what you do not know.
"""


def build(descriptors: bytes) -> dict[str, JSON]:
    """The document of a serialized FileDescriptorSet. Raises ValueError for a contract that it cannot describe."""
    contract = Contract.from_bytes(descriptors)
    schemas, errors = Schemas(contract), Errors(contract.reasons)
    operations = Operations(contract, schemas, errors)
    paths: dict[str, dict[str, JSON]] = {}
    for operation in sorted(contract.operations, key=lambda one: _rank(one.service)):
        paths.setdefault(operation.template, {})[operation.verb] = operations.describe(operation)
    paths.update(PAGES)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PRSM",
            "version": VERSION,
            "summary": "Paid, resumable research sessions over REST",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The installation that this document came from"}],
        "security": [{"bearerToken": []}, {"apiKey": []}],
        "tags": _tags(contract),
        "paths": paths,
        "components": {
            "schemas": {"Error": SCHEMA, **schemas.components()},
            "responses": errors.components(),
            "parameters": _PARAMETERS,
            "headers": {**_HEADERS, **PROBLEM_HEADERS},
            "securitySchemes": _SECURITY,
        },
    }


def _rank(service: str) -> int:
    return list(TAGS).index(service.rpartition(".")[2])


def _tags(contract: Contract) -> list[dict[str, JSON]]:
    made = []
    for service in sorted(contract.services, key=_rank):
        name = service.rpartition(".")[2]
        said = contract.services[service].removeprefix(name).strip()
        made.append({"name": TAGS[name], "description": said[:1].upper() + said[1:]})
    return [*made, {"name": OPERATIONS_TAG, "description": "Probes and this description, without a token."}]


_SECURITY: Final[dict[str, JSON]] = {
    "bearerToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A JSON Web Token of the installation's issuer.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same token, for clients that cannot send `Authorization`.",
    },
}

_PARAMETERS: Final[dict[str, JSON]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": (
            "Makes repeating safe: the same key with the same request answers what the first success answered; with "
            "another request it is 409. 1 to 255 visible characters, kept at least 24 hours."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "example": "2f6d4e8a-order-17",
    },
    "LastEventId": {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "The id of the last event that arrived: the stream goes on after it, without a gap.",
        "schema": {"type": "string", "pattern": "^[0-9]{0,10}$"},
        "example": "4",
    },
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "required": False,
        "description": (
            "A name for this request in answers, logs and traces: 1 to 128 visible characters. Without a fit one the "
            "server makes its own."
        ),
        "schema": {"type": "string"},
        "example": "my-request-1",
    },
}

_HEADERS: Final[dict[str, JSON]] = {
    "X-Request-Id": {
        "description": "The name of the request in logs and traces.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "What is left of the caller's rate: `r` requests at once, more in `t` seconds. "
        "Absent where the installation sets no limit.",
        "schema": {"type": "string"},
        "example": '"default";r=199;t=0',
    },
    "RateLimit-Policy": {
        "description": "The caller's rate: `q` requests in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"default";q=200;w=4',
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "1",
    },
    "Location": {
        "description": "The path of what was made.",
        "required": True,
        "schema": {"type": "string"},
        "example": "/api/v1/sessions/0197a1c0-5d2e-7c3a-9b1f-2f6d4e8a9c01",
    },
    "Content-Disposition": {
        "description": "A safe name for the file.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'attachment; filename="report.pdf"',
    },
    "Content-Length": {
        "description": "The size of the body in bytes; less has not come whole.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "122107",
    },
    "Vary": {
        "description": "Who asks makes a difference.",
        "required": True,
        "schema": {"type": "string"},
        "example": "Authorization, X-API-Key",
    },
    "Accept-Ranges": {
        "description": "Parts of a document are not given.",
        "required": True,
        "schema": {"const": "none"},
        "example": "none",
    },
    "Cache-Control": {
        "description": (
            "Answers depend on who asks: no cache keeps them, or, of those with an `ETag`, only the caller's own, "
            "which asks again each time."
        ),
        "schema": {"type": "string"},
        "example": "no-store",
    },
}
