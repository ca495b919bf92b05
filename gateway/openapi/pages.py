"""The pages that the edge answers itself: probes, and the description of the API."""

from __future__ import annotations

from typing import Any, Final

from gateway.openapi.conventions import OPERATIONS_TAG
from kit.results_schema import PATH as RESULTS_SCHEMA_PATH

JSON = Any

__all__ = ["DOCS_PATH", "OPENAPI_PATH", "PAGES", "PROBLEM_HEADERS", "RESULTS_SCHEMA_PATH"]

OPENAPI_PATH: Final = "/api/v1/openapi.json"
DOCS_PATH: Final = "/api/v1/docs"

PROBLEM_HEADERS: Final[dict[str, JSON]] = {
    "WWW-Authenticate": {
        "description": "Which credentials are wanted.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'Bearer realm="prsm"',
    },
    "ETag": {
        "description": "Changes with the content; send it back in `If-None-Match`.",
        "required": True,
        "schema": {"type": "string"},
        "example": '"5f2c9a"',
    },
}
_REQUEST_ID: Final = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of the answer before: 304 when nothing has changed.",
    "schema": {"type": "string"},
    "example": '"5f2c9a"',
}
_STATUS: Final = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"const": "ok"},
        "services": {
            "type": "object",
            "description": "What each service says of itself.",
            "additionalProperties": {"enum": ["serving", "not_serving", "unreachable"]},
        },
    },
}


def _page(name: str, summary: str, description: str, responses: dict[str, JSON]) -> dict[str, JSON]:
    return {
        "get": {
            "operationId": name,
            "tags": [OPERATIONS_TAG],
            "summary": summary,
            "description": description,
            "security": [],
            "responses": responses,
        }
    }


def _ok(media_type: str, schema: JSON, example: JSON, description: str) -> dict[str, JSON]:
    return {
        "description": description,
        "headers": _REQUEST_ID,
        "content": {media_type: {"schema": schema, "example": example}},
    }


def _kept(name: str, summary: str, description: str, ok: dict[str, JSON]) -> dict[str, JSON]:
    ok = {**ok, "headers": {**_REQUEST_ID, "ETag": {"$ref": "#/components/headers/ETag"}}}
    unchanged = {"description": "Nothing has changed.", "headers": ok["headers"]}
    page = _page(name, summary, description, {"200": ok, "304": unchanged})
    page["get"]["parameters"] = [IF_NONE_MATCH]
    return page


PAGES: Final[dict[str, dict[str, JSON]]] = {
    OPENAPI_PATH: _kept(
        "getOpenApi",
        "This document",
        "The description of the API, made from the contract that the server runs.",
        _ok("application/json", {"type": "object"}, {"openapi": "3.1.0"}, "An OpenAPI 3.1 document."),
    ),
    DOCS_PATH: _kept(
        "getDocs",
        "This document as a page",
        "The same to read, without anything from elsewhere.",
        _ok("text/html", {"type": "string"}, "<!doctype html>", "A page."),
    ),
    RESULTS_SCHEMA_PATH: _kept(
        "getResultsSchema",
        "The schema of results",
        "What the JSON export of results holds, member by member; every export is valid by it.",
        _ok("application/schema+json", {"type": "object"}, {"$defs": {}}, "A JSON Schema, draft 2020-12."),
    ),
    "/health": _page(
        "getHealth",
        "Does it run?",
        "Answers as long as the process does; for liveness probes.",
        {"200": _ok("application/json", _STATUS, {"status": "ok"}, "It runs.")},
    ),
    "/ready": _page(
        "getReady",
        "Can it serve?",
        "Asks every service behind the edge; for readiness probes.",
        {
            "200": _ok(
                "application/json",
                _STATUS,
                {"status": "ok", "services": {"session": "serving", "results": "serving"}},
                "All services are serving.",
            ),
            "503": {"$ref": "#/components/responses/Unavailable"},
        },
    ),
}
"""Their paths in the description."""
