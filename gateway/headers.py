"""Which headers cross: HTTP request headers to gRPC metadata, and metadata back to response headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from multidict import MultiMapping

from kit.errors import ValidationError

Metadata = Iterable[tuple[str, str | bytes]]
CallMetadata = tuple[tuple[str, str], ...]

REQUEST_ID: Final = "X-Request-Id"
STATUS_KEY: Final = "x-prsm-http-status"
# Passed on as they are. What gRPC cannot carry is refused in the first list and dropped in the second.
_PASSED: Final = ("authorization", "x-api-key", "idempotency-key", "last-event-id")
_PASSED_IF_SOUND: Final = ("if-none-match", "tracestate")
_COPIED: Final = {
    "location": "Location",
    "content-disposition": "Content-Disposition",
    # A length of its own name would be taken for that of the gRPC message.
    "x-prsm-content-length": "Content-Length",
    "accept-ranges": "Accept-Ranges",
    "etag": "ETag",
    "retry-after": "Retry-After",
    "cache-control": "Cache-Control",
    "last-modified": "Last-Modified",
    "vary": "Vary",
    "www-authenticate": "WWW-Authenticate",
    "x-accel-buffering": "X-Accel-Buffering",
    "ratelimit": "RateLimit",
    "ratelimit-policy": "RateLimit-Policy",
    "idempotency-replayed": "Idempotency-Replayed",
}
_SOUND: Final = re.compile(r"[ -~]*")
_REQUEST_ID: Final = re.compile(r"[!-~]{1,128}")


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The caller's own request id when it is fit to be used."""
    given = headers.get(REQUEST_ID)
    return given if given is not None and _REQUEST_ID.fullmatch(given) else None


def passed_on(headers: MultiMapping[str], request_id: str, traceparent: str) -> CallMetadata:
    """The metadata of a call; `traceparent` is that of the request here, "" for none. Raises ValidationError for a
    header that is there twice or not printable ASCII."""
    metadata = [("x-request-id", request_id)]
    for name in _PASSED:
        value = headers.get(name)
        if value is not None:
            if len(headers.getall(name)) > 1:
                raise ValidationError.of(name, "may be given only once")
            if not _SOUND.fullmatch(value):
                raise ValidationError.of(name, "must be printable ASCII")
            metadata.append((name, value))
    for name in _PASSED_IF_SOUND:
        value = headers.get(name)
        if value is not None and _SOUND.fullmatch(value):
            metadata.append((name, value))
    if traceparent:
        metadata.append(("traceparent", traceparent))
    return tuple(metadata)


def copied(metadata: Metadata) -> tuple[int, dict[str, str]]:
    """(HTTP status, response headers) that a service sent; the status is 200 when it sent none."""
    status = 200
    headers: dict[str, str] = {}
    for key, value in metadata:
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if key == STATUS_KEY:
            status = int(text)
        elif name := _COPIED.get(key):
            headers[name] = text
    return status, headers
