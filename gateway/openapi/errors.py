"""Which errors an operation answers with, and how they are described."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.openapi.contract import Operation, Reason
from gateway.openapi.examples import MOMENT, REQUEST_ID

JSON = Any

_ALWAYS: Final = (
    *("VALIDATION_ERROR", "UNAUTHORIZED", "RATE_LIMITED"),
    *("INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"),
)
_ON_SESSION: Final = frozenset({"view", "edit", "collaborate", "owner"})
_DETAILS: Final[dict[str, JSON]] = {
    "validation_error": {"fields": [{"field": "limit", "issue": "must be from 1 to 100"}]},
    "insufficient_balance": {"required": "5.00", "available": "1.25", "currency": "FTNS"},
    "session_quota_exceeded": {"quota": "open_sessions", "limit": 100, "used": 100},
    "results_not_available": {"status": "running", "progress": 40},
    "session_cannot_be_cancelled": {"status": "completed"},
    "session_cannot_be_paused": {"status": "queued"},
    "session_cannot_be_resumed": {"status": "running"},
    "invalid_export_format": {"format": "exe", "formats": ["pdf", "docx", "markdown", "json"]},
    "document_unreadable": {"reason": "encrypted"},
}

SCHEMA: Final[dict[str, JSON]] = {
    "type": "object",
    "description": "What every answer is that is not a success.",
    "required": ["error", "message", "code", "timestamp", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "The name of the error; decide by it."},
        "message": {"type": "string", "description": "What is wrong, for people to read."},
        "code": {"type": "integer", "format": "int32", "description": "The HTTP status."},
        "timestamp": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string", "description": "The same as in `X-Request-Id`."},
        "details": {
            "type": "object",
            "description": "Where figures or fields are to be named; of `validation_error` all `fields` at once.",
            "properties": {
                "fields": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "issue"],
                        "properties": {"field": {"type": "string"}, "issue": {"type": "string"}},
                    },
                }
            },
            "additionalProperties": True,
        },
    },
}


def reasons_of(operation: Operation) -> list[str]:
    """The reasons, without their prefix, that an operation may answer with."""
    found = [*_ALWAYS, *(name.removeprefix("REASON_") for name in operation.reasons)]
    if operation.level in _ON_SESSION:
        found += ["SESSION_NOT_FOUND", "SESSION_NOT_ACCESSIBLE"]
    if not operation.reads:
        found.append("FORBIDDEN")
    if "{" in operation.template:
        # A value of the path that cannot be read, such as half of a character.
        found.append("NOT_FOUND")
    if operation.has_body:
        found += ["PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"]
        if not operation.streams_in:
            found.append("INVALID_JSON")
    if operation.takes_key:
        found += ["IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_KEY_IN_USE"]
    return list(dict.fromkeys(found))


class Errors:
    """Collects the responses that are asked for; those that are alike are described once."""

    def __init__(self, reasons: Mapping[str, Reason]) -> None:
        self._reasons = {name.removeprefix("REASON_"): reason for name, reason in reasons.items()}
        self._order = {name: index for index, name in enumerate(self._reasons)}
        self._made: dict[str, dict[str, JSON]] = {}

    def responses(self, names: Iterable[str]) -> dict[str, JSON]:
        """References to the responses with these reasons, by status."""
        by_status: dict[int, list[str]] = {}
        for name in sorted(names, key=lambda name: self._order[name]):
            by_status.setdefault(self._reasons[name].status, []).append(name)
        return {str(status): self._ref(status, by_status[status]) for status in sorted(by_status)}

    def components(self) -> dict[str, JSON]:
        """The responses by name."""
        return dict(sorted(self._made.items()))

    def _ref(self, status: int, names: list[str]) -> dict[str, JSON]:
        reasons = [self._reasons[name] for name in names]
        key = "Or".join("".join(word.capitalize() for word in reason.name.split("_")) for reason in reasons)
        if key not in self._made:
            self._made[key] = _response(status, reasons)
        return {"$ref": f"#/components/responses/{key}"}


def _response(status: int, reasons: list[Reason]) -> dict[str, JSON]:
    headers: dict[str, JSON] = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if status == 401:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/WWW-Authenticate"}
    if any(reason.retry_after for reason in reasons):
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    narrowed = {"error": {"enum": [reason.name for reason in reasons]}, "code": {"const": status}}
    return {
        "description": " ".join(f"`{reason.name}`: {reason.message}." for reason in reasons),
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [{"$ref": "#/components/schemas/Error"}, {"type": "object", "properties": narrowed}]
                },
                "examples": {reason.name: {"summary": reason.message, "value": _example(reason)} for reason in reasons},
            }
        },
    }


def _example(reason: Reason) -> dict[str, JSON]:
    details = _DETAILS.get(reason.name)
    return {
        "error": reason.name,
        "message": reason.message if reason.name != "validation_error" else "limit: must be from 1 to 100",
        "code": reason.status,
        "timestamp": MOMENT,
        "request_id": REQUEST_ID,
        **({"details": details} if details is not None else {}),
    }
