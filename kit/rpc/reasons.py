"""The reason table of `prsm.errors.v1`, and the two forms in which an error crosses the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from kit.errors import PrsmError
from kit.times import rfc3339
from prsm.errors.v1 import errors_pb2

DOMAIN = "prsm"
ERROR_KEY = "x-prsm-error"
STATUS_KEY = "x-prsm-http-status"
DETAILS_KEY = "grpc-status-details-bin"
_MOST_FAULTS = 20
_LONGEST_ISSUE = 400
_LARGEST = 4096
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a reason looks at each edge; `retry_after` in seconds, 0 for none."""

    name: str
    http: int
    code: grpc.StatusCode
    message: str
    retry_after: int


def _load() -> dict[str, Mapped]:
    table = {}
    for value in errors_pb2.Reason.DESCRIPTOR.values:
        m: Any = value.GetOptions().Extensions[errors_pb2.mapping]
        name = value.name.removeprefix("REASON_")
        table[name] = Mapped(m.name, m.http, _CODES[m.grpc], m.message, m.retry_after)
    return table


REASONS: Mapping[str, Mapped] = _load()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error made ready for the wire."""

    code: grpc.StatusCode
    message: str
    trailing: tuple[tuple[str, str | bytes], ...]


def error_json(error: PrsmError, *, now: int, request_id: str) -> dict[str, Any]:
    """The documented error body."""
    mapped = REASONS.get(error.name, REASONS["INTERNAL"])
    body: dict[str, Any] = {
        "error": mapped.name,
        "message": (error.message or mapped.message)[:_LONGEST_ISSUE],
        "code": mapped.http,
        "timestamp": rfc3339(now),
        "request_id": request_id,
    }
    if error.details is not None:
        body["details"] = _bounded(error.details)
    return body


def _bounded(details: Mapping[str, Any]) -> dict[str, Any]:
    fields = details.get("fields")
    if not isinstance(fields, list):
        return dict(details)
    kept = [{k: str(v)[:_LONGEST_ISSUE] for k, v in f.items()} for f in fields[:_MOST_FAULTS]]
    return {**details, "fields": kept, **({"truncated": True} if len(fields) > _MOST_FAULTS else {})}


def _ascii(body: dict[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    while len(text) > _LARGEST:
        details = body.get("details")
        fields = details.get("fields") if isinstance(details, dict) else None
        if isinstance(details, dict) and isinstance(fields, list) and len(fields) > 1:
            body = {**body, "details": {**details, "fields": fields[: len(fields) // 2], "truncated": True}}
        elif len(body["message"]) > 100:
            body = {**body, "message": body["message"][: len(body["message"]) // 2]}
        else:
            body = {k: v for k, v in body.items() if k != "details"}
        text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    return text


def refusal(error: PrsmError, *, now: int, request_id: str) -> Refusal:
    """Both forms: the error JSON for the edges, google.rpc.Status with ErrorInfo for gRPC clients."""
    name = error.name if error.name in REASONS else "INTERNAL"
    mapped = REASONS[name]
    body = error_json(error, now=now, request_id=request_id)
    retry_after = error.retry_after if error.retry_after is not None else mapped.retry_after
    text = _ascii(body)
    headers: tuple[tuple[str, str | bytes], ...] = (("retry-after", str(retry_after)),) if retry_after else ()
    if mapped.http == 401:
        headers += (("www-authenticate", 'Bearer realm="prsm"'),)
    message = str(body["message"])[:500]
    info = error_details_pb2.ErrorInfo(reason=name, domain=DOMAIN, metadata={"request_id": request_id})
    status = status_pb2.Status(code=mapped.code.value[0], message=message, details=[_packed(info)])
    if isinstance(error.details, Mapping) and isinstance(error.details.get("fields"), list):
        bad = error_details_pb2.BadRequest()
        for fault in error.details["fields"][:_MOST_FAULTS]:
            bad.field_violations.add(field=str(fault["field"])[:200], description=str(fault["issue"])[:200])
        status.details.append(_packed(bad))
    trailing: tuple[tuple[str, str | bytes], ...] = ((ERROR_KEY, text), *headers)
    packed = status.SerializeToString()
    if len(packed) <= 3072:  # with the error JSON within gRPC's soft limit of 8 KiB
        trailing += ((DETAILS_KEY, packed),)
    return Refusal(mapped.code, message.encode("ascii", "replace").decode(), trailing)


def _packed(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
