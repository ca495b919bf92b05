"""The documented error JSON, for every answer that is not a success."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import grpc
import orjson
from aiohttp import web

from gateway.headers import Metadata, copied
from gateway.json_codec import Reason
from kit.errors import PrsmError, RemoteError, ValidationError
from kit.times import Clock, rfc3339

ERROR_KEY: Final = "x-prsm-error"
CHALLENGE: Final = 'Bearer realm="prsm"'
# What to do about a body over its limit.
SMALLER: Final = "upload long documents and data as files of their own, and name them by document_id"
# gRPC codes of calls that never reached a service's own error handling.
_BY_CODE: Final = {
    grpc.StatusCode.UNAVAILABLE: "UNAVAILABLE",
    # A server whose grace is over ends what is left so; a call that we gave up ourselves has nobody to answer.
    grpc.StatusCode.CANCELLED: "UNAVAILABLE",
    grpc.StatusCode.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    grpc.StatusCode.UNAUTHENTICATED: "UNAUTHORIZED",
    grpc.StatusCode.PERMISSION_DENIED: "FORBIDDEN",
    grpc.StatusCode.NOT_FOUND: "NOT_FOUND",
    grpc.StatusCode.INVALID_ARGUMENT: "VALIDATION_ERROR",
}


class NotFound(PrsmError):
    reason = "NOT_FOUND"


class MethodNotAllowed(PrsmError):
    """`allowed` are the verbs that the path takes."""

    reason = "METHOD_NOT_ALLOWED"

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.allowed = tuple(allowed)


class InvalidBody(PrsmError):
    reason = "INVALID_JSON"


class RateLimited(PrsmError):
    reason = "RATE_LIMITED"


class ErrorPages:
    """Makes error answers; names, statuses and messages come from the contract's list of reasons."""

    def __init__(self, reasons: Mapping[str, Reason], clock: Clock) -> None:
        """Raises ValueError when a reason that the gateway itself uses is not in the list."""
        needed = {*_BY_CODE.values(), *_own_reasons()}
        if missing := sorted(needed - reasons.keys()):
            raise ValueError(f"the contract lacks the error reasons {', '.join(missing)}")
        self._reasons = reasons
        self._clock = clock

    def of(self, error: PrsmError, request_id: str) -> web.Response:
        """The answer for an error of the gateway's own."""
        reason = self._reasons.get(error.name, self._reasons["INTERNAL"])
        body: dict[str, Any] = {
            "error": reason.name,
            "message": error.message or reason.message,
            "code": reason.status,
            "timestamp": rfc3339(self._clock.now()),
            "request_id": request_id,
        }
        if error.details is not None:
            body["details"] = dict(error.details)
        headers: dict[str, str] = {}
        if wait := error.retry_after or reason.retry_after:
            headers["Retry-After"] = str(wait)
        if isinstance(error, MethodNotAllowed):
            headers["Allow"] = ", ".join(error.allowed)
        if reason.status == 401:
            headers["WWW-Authenticate"] = CHALLENGE
        return web.Response(
            status=reason.status, body=orjson.dumps(body), content_type="application/json", headers=headers
        )

    def internal(self, request_id: str) -> web.Response:
        """The answer for what nobody foresaw; says nothing but the request's id."""
        return self.of(PrsmError(), request_id)

    def of_call(self, code: grpc.StatusCode, trailing: Metadata, request_id: str) -> web.Response:
        """The answer for a failed call: the service's own error JSON as it is, or by the gRPC code alone.

        The call's message is never shown: gRPC libraries put exception texts there.
        """
        for key, value in trailing:
            if key == ERROR_KEY and (status := _status_of(value)):
                _, headers = copied(trailing)
                if status == 401:
                    headers.setdefault("WWW-Authenticate", CHALLENGE)
                body = value if isinstance(value, bytes) else value.encode()
                headers["Content-Type"] = "application/json"
                return web.Response(status=status, body=body, headers=headers)
        return self.of(RemoteError(_BY_CODE.get(code, "INTERNAL")), request_id)


def _own_reasons() -> set[str]:
    own = (PrsmError, ValidationError, NotFound, MethodNotAllowed, InvalidBody, RateLimited)
    return {kind.reason for kind in own} | {"PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"}


def _status_of(value: str | bytes) -> int:
    try:
        code = orjson.loads(value)["code"]
    except (ValueError, TypeError, KeyError):
        return 0
    return code if isinstance(code, int) and 400 <= code <= 599 else 0
