"""A gRPC backend that answers with the services' side protocol, one method for each shape that has to cross.

Which answer is given is chosen by the id in the request, so that a test reads as a table.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol

import grpc
from google.api import httpbody_pb2
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from kit.rpc.breaking import UNREADABLE, must_break

CHUNK = 256 * 1024
FILE = bytes(range(256)) * 2400
FLOOD = b": " + b"x" * 4092 + b"\n\n"
LONG_TITLE = "a long title " * 200_000
ERRORS: dict[str, tuple[grpc.StatusCode, int, dict[str, Any]]] = {
    "invalid": (
        grpc.StatusCode.INVALID_ARGUMENT,
        400,
        {
            "error": "validation_error",
            "details": {"fields": [{"field": "title", "issue": "must not be blank"}]},
        },
    ),
    "missing": (grpc.StatusCode.NOT_FOUND, 404, {"error": "thing_not_found"}),
    "poor": (
        grpc.StatusCode.FAILED_PRECONDITION,
        402,
        {
            "error": "insufficient_balance",
            "details": {"required": "12.50", "available": "0.00", "currency": "FTNS"},
        },
    ),
    "away": (grpc.StatusCode.UNAVAILABLE, 503, {"error": "unavailable"}),
    "large": (
        grpc.StatusCode.INVALID_ARGUMENT,
        400,
        {
            "error": "validation_error",
            "details": {"fields": [{"field": f"f{i}", "issue": "é" * 25} for i in range(20)]},
        },
    ),
}


class Context(Protocol):
    """What is used of grpc.aio's servicer context."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]]: ...
    async def send_initial_metadata(self, initial_metadata: Any) -> None: ...
    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> Any: ...


def error_metadata(name: str, request_id: str) -> tuple[grpc.StatusCode, str, tuple[tuple[str, str | bytes], ...]]:
    """The gRPC code, message and trailing metadata of one of ERRORS, as a service's interceptor sends them."""
    code, status, body = ERRORS[name]
    document = {"message": f"this is {name}", "code": status, "timestamp": "2025-07-02T10:30:00Z", **body}
    document["request_id"] = request_id
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=body["error"].upper(), domain="edge"))
    rpc = status_pb2.Status(code=code.value[0], message=document["message"], details=[detail])
    trailing: list[tuple[str, str | bytes]] = [
        ("x-prsm-error", json.dumps(document, ensure_ascii=True)),
        ("grpc-status-details-bin", rpc.SerializeToString()),
    ]
    if status == 503:
        trailing.append(("retry-after", "7"))
    return code, document["message"], tuple(trailing)


def _serialized(message: Any) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


class Things:
    """The servicer. One event frame leaves for each `release`; the thing `slow` waits for the event of that name. Of
    `flood` frames leave for as long as somebody takes them; `sent` are their bytes, `flooded` is their end."""

    def __init__(self, pb: Any) -> None:
        self.pb = pb
        self.reset()

    def reset(self) -> None:
        """Forget everything; for the start of a test."""
        self.release = asyncio.Semaphore(0)
        self.slow = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.started = asyncio.Event()
        self.finished = asyncio.Event()
        self.metadata: dict[str, str | bytes] = {}
        self.requests: list[Any] = []
        self.sent = 0
        self.flooded = asyncio.Event()

    def handlers(self) -> grpc.GenericRpcHandler:
        service = self.pb.DESCRIPTOR.services_by_name["Things"]
        made = {}
        for method in service.methods:
            kind = (
                f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
            )
            made[method.name] = getattr(grpc, f"{kind}_rpc_method_handler")(
                getattr(self, method.name),
                request_deserializer=self._class(method.input_type).FromString,
                response_serializer=_serialized,
            )
        return grpc.method_handlers_generic_handler(service.full_name, made)

    def _class(self, descriptor: Any) -> Any:
        return httpbody_pb2.HttpBody if descriptor.name == "HttpBody" else getattr(self.pb, descriptor.name)

    async def _enter(self, request: Any, context: Context, name: str) -> None:
        self.metadata = dict(context.invocation_metadata())
        self.requests.append(request)
        if name in ERRORS:
            code, message, trailing = error_metadata(name, str(self.metadata["x-request-id"]))
            await context.abort(code, message, trailing)
        if name == "slow":
            await self._wait()
        if name == "plain":
            await context.abort(grpc.StatusCode.UNAVAILABLE, "internal words that must not leak")
        if name == "crash":
            raise RuntimeError("internal words that must not leak")

    async def _wait(self) -> None:
        self.started.set()
        try:
            await self.slow.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.finished.set()

    async def CreateThing(self, request: Any, context: Context) -> Any:
        await self._enter(request, context, request.title)
        await context.send_initial_metadata((("x-prsm-http-status", "201"), ("location", "/api/v1/things/t1")))
        thing = self.pb.Thing(
            thing_id="t1", title=request.title, amount=request.amount or "0.00", progress=request.count
        )
        thing.score = request.weight
        thing.tags.extend(request.tags)
        thing.parts.extend(request.parts)
        if request.HasField("main_part"):
            thing.main_part.CopyFrom(request.main_part)
        if request.HasField("metadata"):
            thing.metadata.CopyFrom(request.metadata)
        if request.HasField("not_before"):
            thing.created_at.CopyFrom(request.not_before)
        thing.status = request.status
        return thing

    async def GetThing(self, request: Any, context: Context) -> Any:
        await self._enter(request, context, request.thing_id)
        await context.send_initial_metadata((("etag", '"v1"'), ("ratelimit", '"default";r=3;t=1')))
        title = LONG_TITLE if request.thing_id == "long" else ""
        return self.pb.Thing(thing_id=request.thing_id, title=title, status=self.pb.Thing.running)

    async def DeleteThing(self, request: Any, context: Context) -> Any:
        return await self.GetThing(request, context)

    async def ListThings(self, request: Any, context: Context) -> Any:
        await self._enter(request, context, "")
        return self.pb.ListThingsResponse(page=request.page)

    async def PauseThing(self, request: Any, context: Context) -> Any:
        await self._enter(request, context, request.thing_id)
        return self.pb.Thing(thing_id=request.thing_id, note=request.reason)

    async def ExportThing(self, request: Any, context: Context) -> AsyncIterator[Any]:
        await self._enter(request, context, request.thing_id)
        disposition = f'attachment; filename="{request.thing_id}.{request.format}"'
        if request.thing_id in ("kept", "cut"):
            kept = (("etag", '"f1"'), ("cache-control", "private, no-cache"), ("accept-ranges", "none"))
            if self.metadata.get("if-none-match") == '"f1"':
                await context.send_initial_metadata((*kept, ("x-prsm-http-status", "304")))
                yield httpbody_pb2.HttpBody()
                return
            length = ("x-prsm-content-length", str(len(FILE)))
            await context.send_initial_metadata((*kept, length, ("content-disposition", disposition)))
        else:
            await context.send_initial_metadata((("content-disposition", disposition),))
        for start in range(0, len(FILE), CHUNK):
            kind = "application/pdf" if start == 0 else ""
            yield httpbody_pb2.HttpBody(content_type=kind, data=FILE[start : start + CHUNK])
            if request.thing_id in ("breaks", "cut"):
                if must_break(self.metadata):
                    yield UNREADABLE
                code, message, trailing = error_metadata("away", str(self.metadata["x-request-id"]))
                await context.abort(code, message, trailing)

    async def StreamEvents(self, request: Any, context: Context) -> AsyncIterator[Any]:
        await self._enter(request, context, request.thing_id)
        first = int(str(self.metadata.get("last-event-id", "0"))) + 1
        try:
            while request.thing_id == "flood":
                yield httpbody_pb2.HttpBody(content_type="text/event-stream", data=FLOOD)
                self.sent += len(FLOOD)
            for number in range(first, first + 3):
                frame = f'id: {number}\ndata: {{"n": {number}}}\n\n'.encode()
                yield httpbody_pb2.HttpBody(content_type="text/event-stream" if number == first else "", data=frame)
                await self.release.acquire()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            if request.thing_id == "flood":
                self.flooded.set()

    async def UploadThings(self, requests: AsyncIterator[Any], context: Context) -> Any:
        digest, size, chunks, kind = hashlib.sha256(), 0, 0, ""
        async for body in requests:
            if not chunks:
                await self._enter(body, context, body.content_type.partition("/")[2])
            kind, size, chunks = kind or body.content_type, size + len(body.data), chunks + 1
            digest.update(body.data)
        await context.send_initial_metadata((("x-prsm-http-status", "201"),))
        return self.pb.UploadThingsResponse(content_type=kind, bytes=size, chunks=chunks, sha256=digest.hexdigest())

    async def BatchThings(self, requests: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
        lines = 0
        async for body in requests:
            lines += body.data.count(b"\n")
        for number in range(lines):
            kind = "application/x-ndjson" if number == 0 else ""
            yield httpbody_pb2.HttpBody(content_type=kind, data=f'{{"line": {number}}}\n'.encode())
