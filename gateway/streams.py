"""Bodies that travel in pieces: uploads in, files and event streams out, nothing buffered whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import grpc
from aiohttp import ClientError, web
from aiohttp.http_exceptions import PayloadEncodingError

from gateway.calls import Call
from gateway.errors import SMALLER
from gateway.headers import copied
from gateway.json_codec import BodyCodec
from kit.errors import DeadlineExceeded, PayloadTooLarge, ValidationError
from kit.memory import Ebb

_EVENTS: Final = "text/event-stream"


def too_large(limit: int) -> PayloadTooLarge:
    """The error for a body over its limit."""
    return PayloadTooLarge(f"The body may have at most {limit} bytes; {SMALLER}")


def refuse_announced(request: web.BaseRequest, limit: int) -> None:
    """Raise PayloadTooLarge when the request says beforehand that its body is over the limit."""
    if (request.content_length or 0) > limit:
        raise too_large(limit)


async def read_whole(request: web.BaseRequest, limit: int, *, within: float) -> bytes:
    """The whole body, if it is there within so many seconds.

    Raises PayloadTooLarge, DeadlineExceeded, or ValidationError when it breaks off.
    """
    refuse_announced(request, limit)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within):
            async for part in request.content.iter_any():
                size += len(part)
                if size > limit:
                    raise too_large(limit)
                parts.append(part)
    except TimeoutError:
        raise DeadlineExceeded() from None
    except (web.RequestPayloadError, PayloadEncodingError):
        raise ValidationError.of("body", "is not sent as its headers say") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Upload:
    """A request body on its way to a service; its first piece, always there, has the content type."""

    def __init__(self, request: web.BaseRequest, codec: BodyCodec, *, limit: int, chunk: int) -> None:
        self._request = request
        self._codec = codec
        self._limit = limit
        self._chunk = chunk
        self.is_too_large = False

    async def feed(self, call: Call) -> None:
        """Write the body to the call; past the limit the call is cancelled and `is_too_large` says why."""
        try:
            async for piece in self._pieces():
                await call.write(piece)
            await call.done_writing()
        except PayloadTooLarge:
            self.is_too_large = True
            call.cancel()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The service answered before it had read everything; whoever reads the answer learns what.
            return
        except (ClientError, ConnectionError, web.RequestPayloadError, PayloadEncodingError):
            # The client went away in the middle: the service must not take what came for the whole.
            call.cancel()

    async def _pieces(self) -> AsyncIterator[bytes]:
        content_type = self._request.headers.get("Content-Type", "application/octet-stream")
        held = bytearray()
        size = 0
        async for part in self._request.content.iter_any():
            size += len(part)
            if size > self._limit:
                raise too_large(self._limit)
            held += part
            while len(held) >= self._chunk:
                yield self._codec.encode(content_type, bytes(held[: self._chunk]))
                del held[: self._chunk]
                content_type = ""
        if held or content_type:
            yield self._codec.encode(content_type, bytes(held))


class StreamSender:
    """Answers with the pieces of calls as they come, and ends event streams when the gateway stops."""

    def __init__(self, codec: BodyCodec) -> None:
        self._codec = codec
        self._events: set[Call] = set()
        self._ebb = Ebb()
        self._is_ending = False

    def end_events(self) -> None:
        """End every event stream in an orderly way; their clients connect again elsewhere."""
        self._is_ending = True
        for call in self._events:
            call.cancel()

    async def send(
        self, request: web.BaseRequest, call: Call, extra: Mapping[str, str], *, first_within: float
    ) -> web.StreamResponse:
        """Answer with a call's pieces; the first one, within so many seconds, decides the content type.

        A call that fails before its first piece raises grpc.aio.AioRpcError or DeadlineExceeded, so that an error
        can still be answered. One that fails later breaks the connection: what was sent must not look whole.
        """
        try:
            async with asyncio.timeout(first_within):
                first = await call.read()
        except TimeoutError:
            call.cancel()
            raise DeadlineExceeded() from None
        status, headers = copied(await call.initial_metadata())
        headers.update(extra)
        if first is grpc.aio.EOF or status == HTTPStatus.NOT_MODIFIED:
            return web.Response(status=status, headers=headers)
        content_type, data = self._codec.decode(first)
        headers["Content-Type"] = content_type or "application/octet-stream"
        is_events = content_type.startswith(_EVENTS)
        headers.setdefault("Cache-Control", "no-store")
        response = web.StreamResponse(status=status, headers=headers)
        await response.prepare(request)
        await response.write(data)
        if not is_events:
            await self._rest(call, response, request)
        elif not self._is_ending:
            self._events.add(call)
            try:
                await self._rest_of_events(call, response, request)
            finally:
                self._events.discard(call)
                self._ebb.now(len(self._events))
        await response.write_eof()
        return response

    async def _rest(self, call: Call, response: web.StreamResponse, request: web.BaseRequest) -> None:
        try:
            while (piece := await call.read()) is not grpc.aio.EOF:
                await response.write(self._codec.decode(piece)[1])
        except grpc.aio.AioRpcError:
            transport: Any = request.transport
            if transport is not None:
                transport.abort()
            raise ConnectionResetError("the stream broke off") from None

    async def _rest_of_events(self, call: Call, response: web.StreamResponse, request: web.BaseRequest) -> None:
        try:
            await self._rest(call, response, request)
        except asyncio.CancelledError:
            # Either the client has left, or `end_events` was called; only the second is an orderly end.
            if not self._is_ending or asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise
