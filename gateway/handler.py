"""One HTTP request from start to end: identity, route, request message, call, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc
import structlog
from aiohttp import web

from gateway import observe
from gateway.auth import Verifier, authenticate
from gateway.calls import Call
from gateway.description import is_unchanged
from gateway.errors import ErrorPages, MethodNotAllowed, NotFound, RateLimited
from gateway.headers import REQUEST_ID, CallMetadata, copied, passed_on, request_id_of
from gateway.json_codec import BodyCodec
from gateway.limits import RateLimiter
from gateway.plans import Plan, require_json
from gateway.routes import Match, Route, RouteTable
from gateway.streams import StreamSender, Upload, read_whole, refuse_announced, too_large
from kit.errors import PrsmError
from kit.telemetry import scope

API: Final = "/api/v1"
_SERVER: Final = "prsm"

Page = Callable[[str], Any]
"""A page of the gateway's own: the request id to an awaitable response."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    max_body: int
    max_upload: int
    chunk: int
    call_seconds: float
    hold_seconds: float
    document_seconds: float
    upload_seconds: float
    stream_seconds: float


class Handler:
    """Answers every request; what goes wrong is answered with the documented error JSON."""

    def __init__(
        self,
        plans: Mapping[Route, Plan],
        *,
        ready: Callable[[Route], Awaitable[None]],
        routes: RouteTable,
        pages: Mapping[str, Page],
        verifier: Verifier,
        limiter: RateLimiter | None,
        errors: ErrorPages,
        body: BodyCodec,
        sender: StreamSender,
        limits: Limits,
        new_id: Callable[[], str],
    ) -> None:
        self._plans = plans
        self._ready = ready
        self._routes = routes
        self._pages = pages
        self._verifier = verifier
        self._limiter = limiter
        self._errors = errors
        self._body = body
        self._sender = sender
        self._limits = limits
        self._new_id = new_id
        self._log = structlog.get_logger("gateway")

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        request_id = request.get(observe.REQUEST_ID) or request_id_of(request.headers) or self._new_id()
        # Headers of every answer; `_identify` adds the rate limit's.
        extra = {REQUEST_ID: request_id, "Server": _SERVER, "X-Content-Type-Options": "nosniff"}
        try:
            return await self._answer(request, request_id, extra)
        except PrsmError as error:
            response = self._errors.of(error, request_id)
        except grpc.aio.AioRpcError as error:
            response = self._failed_call(error, request_id)
        except ConnectionError:
            # The client is gone; there is nobody to answer.
            raise
        except Exception:
            self._log.exception("request failed", request_id=request_id, verb=request.method)
            response = self._errors.internal(request_id)
        response.headers.update(extra)
        return response

    async def _answer(self, request: web.BaseRequest, request_id: str, extra: dict[str, str]) -> web.StreamResponse:
        url = request.rel_url
        path = url.raw_path
        if page := self._pages.get(path):
            if request.method != "GET":
                raise MethodNotAllowed(("GET",))
            response: web.Response = await page(request_id)
            if is_unchanged(request.headers, response):
                response = web.Response(status=304, headers=response.headers)
            response.headers.update(extra)
            return response
        if path == API or path.startswith(f"{API}/"):
            await self._identify(request, extra)
        match = self._routes.match(request.method, path)
        if match is None:
            if verbs := self._routes.verbs(path):
                raise MethodNotAllowed(verbs)
            raise NotFound()
        request[observe.ROUTE] = match.route
        metadata = passed_on(request.headers, request_id, scope.traceparent())
        if match.route.takes_stream:
            return await self._upload(request, match, metadata, extra)
        return await self._call(request, match, metadata, extra)

    async def _identify(self, request: web.BaseRequest, extra: dict[str, str]) -> None:
        principal = await authenticate(self._verifier, request.headers)
        if self._limiter is None:
            return
        verdict = self._limiter.take(principal.user_id)
        extra["RateLimit-Policy"] = self._limiter.policy
        extra["RateLimit"] = f'"default";r={verdict.remaining};t={verdict.wait}'
        if not verdict.allowed:
            raise RateLimited(retry_after=verdict.wait)

    async def _call(
        self, request: web.BaseRequest, match: Match, metadata: CallMetadata, extra: dict[str, str]
    ) -> web.StreamResponse:
        plan = self._plans[match.route]
        body = b""
        if match.route.has_body and request.body_exists:
            refuse_announced(request, self._limits.max_body)
            if request.content_length != 0:
                require_json(request.headers)
            body = await read_whole(request, self._limits.max_body, within=self._limits.upload_seconds)
        message = plan.request(match.values, request.rel_url.raw_query_string, body)
        if match.route.gives_stream:
            return await self._in_pieces(request, match.route, message, metadata, extra)
        await self._ready(match.route)
        # Whatever becomes of the connection before this is sent, it is sent in the end, or its time is over.
        call = plan.caller(
            message, metadata=metadata, timeout=self._limits.call_seconds, wait_for_ready=self._limits.hold_seconds > 0
        )
        # A client that leaves takes a read with it, but not a change that is half done.
        answer = await (call if match.route.verb == "GET" else asyncio.shield(_outcome(call)))
        return await _whole(call, plan, answer, extra)

    async def _in_pieces(
        self, request: web.BaseRequest, route: Route, message: bytes, metadata: CallMetadata, extra: dict[str, str]
    ) -> web.StreamResponse:
        limits, caller = self._limits, self._plans[route].caller
        await self._ready(route)
        try:
            call = caller(message, metadata=metadata, timeout=limits.stream_seconds)
            return await self._stream(request, call, extra, limits.document_seconds)
        except grpc.aio.AioRpcError as error:
            # Nothing was sent yet. The replica was away, or its connection was just being closed: perhaps another one.
            if route.verb != "GET" or error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
        await self._ready(route)
        call = caller(message, metadata=metadata, timeout=limits.stream_seconds)
        return await self._stream(request, call, extra, limits.document_seconds)

    async def _upload(
        self, request: web.BaseRequest, match: Match, metadata: CallMetadata, extra: dict[str, str]
    ) -> web.StreamResponse:
        plan = self._plans[match.route]
        limits = self._limits
        plan.query.read(request.rel_url.raw_query_string)
        refuse_announced(request, limits.max_upload)
        upload = Upload(request, self._body, limit=limits.max_upload, chunk=limits.chunk)
        await self._ready(match.route)
        call = plan.caller(metadata=metadata, timeout=limits.upload_seconds)
        feeding = asyncio.create_task(upload.feed(call))
        try:
            if match.route.gives_stream:
                return await self._stream(request, call, extra, limits.upload_seconds)
            return await _whole(call, plan, await call, extra)
        except asyncio.CancelledError:
            if upload.is_too_large:
                raise too_large(limits.max_upload) from None
            raise
        finally:
            feeding.cancel()
            call.cancel()

    async def _stream(
        self, request: web.BaseRequest, call: Call, extra: dict[str, str], first_within: float
    ) -> web.StreamResponse:
        try:
            return await self._sender.send(request, call, extra, first_within=first_within)
        finally:
            call.cancel()

    def _failed_call(self, error: grpc.aio.AioRpcError, request_id: str) -> web.Response:
        response = self._errors.of_call(error.code(), error.trailing_metadata(), request_id)
        if response.status >= 500:
            self._log.warning("call failed", request_id=request_id, code=error.code().name, detail=error.details())
        return response


async def _outcome(call: Call) -> Any:
    return await call


async def _whole(call: Call, plan: Plan, answer: bytes, extra: dict[str, str]) -> web.Response:
    status, headers = copied(await call.initial_metadata())
    headers.update(extra)
    headers["Content-Type"] = "application/json"
    # Answers depend on who asks; no cache on the way may keep one.
    headers.setdefault("Cache-Control", "no-store")
    return web.Response(status=status, body=plan.output.decode(answer), headers=headers)
