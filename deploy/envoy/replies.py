"""The documented error JSON for what Envoy answers itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.errors import CHALLENGE, SMALLER
from gateway.json_codec import Reason, Schema

# The reason of a gRPC code, or of an answer of Envoy's own, by its HTTP status.
BY_STATUS: Final = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    500: "INTERNAL",
}
# Without a fraction, which may only stand where it is not zero.
_TIME: Final = "%START_TIME(%Y-%m-%dT%H:%M:%SZ)%"
_UNREADABLE: Final = {"field": "request", "issue": "is not HTTP that can be read"}


def own_reasons(schema: Schema) -> dict[str, Reason]:
    """The error reasons by name, worded as for what Envoy answers itself."""
    reasons = schema.reasons()
    too_large = reasons["PAYLOAD_TOO_LARGE"]
    return {**reasons, "PAYLOAD_TOO_LARGE": replace(too_large, message=f"{too_large.message}; {SMALLER}")}


def local_replies(reasons: Mapping[str, Reason]) -> dict[str, Any]:
    """What Envoy answers by status; the first that fits is taken.

    What is not even HTTP never reaches the filters, and gets all of its body here. Of another 400 the text says what is
    wrong: it is only marked here, and put into words by the Lua filter. A 403 is Envoy's answer to a token for another
    audience, which is a bad credential like any other; a 408 is a body that did not come in time.
    """
    unreadable = reasons["VALIDATION_ERROR"]
    mappers = [{"filter": {"response_flag_filter": {"flags": ["DPE"]}}, **_unreadable(unreadable)}]
    for status, name in {**BY_STATUS, 403: "UNAUTHORIZED", 408: "DEADLINE_EXCEEDED"}.items():
        mapper = _worded(reasons[name]) if status != 400 else _marked()
        mappers.append({"filter": _status("EQ", status), **mapper})
    mappers.append({"filter": _status("GE", 501), **_worded(reasons["INTERNAL"])})
    mappers.append({"filter": _status("GE", 402), **_unreadable(unreadable)})
    return {"mappers": mappers}


def _worded(reason: Reason, message: str = "", details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    headers = {"x-request-id": "%REQ(X-REQUEST-ID)%"}
    if reason.retry_after:
        headers["retry-after"] = str(reason.retry_after)
    if reason.status == 401:
        headers |= {"www-authenticate": CHALLENGE, "x-prsm-denied": "%RESPONSE_CODE_DETAILS%"}
    body = {
        "error": reason.name,
        "message": message or reason.message,
        "code": reason.status,
        "timestamp": _TIME,
        "request_id": "%REQ(X-REQUEST-ID)%",
        **({"details": details} if details else {}),
    }
    return {
        "status_code": reason.status,
        "headers_to_add": _headers(headers),
        "body_format_override": {"json_format": body},
    }


def _unreadable(reason: Reason) -> dict[str, Any]:
    message = f"{_UNREADABLE['field']}: {_UNREADABLE['issue']}"
    return _worded(reason, message, {"fields": [_UNREADABLE]})


def _marked() -> dict[str, Any]:
    return {"headers_to_add": _headers({"x-prsm-local": "%RESPONSE_CODE_DETAILS%"})}


def _status(operator: str, status: int) -> dict[str, Any]:
    value = {"default_value": status, "runtime_key": "edge.local_reply"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}


def _headers(values: Mapping[str, str]) -> list[dict[str, Any]]:
    action = "OVERWRITE_IF_EXISTS_OR_ADD"
    return [{"header": {"key": k, "value": v}, "append_action": action} for k, v in values.items()]
