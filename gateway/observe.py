"""What is seen of requests: ids for the logs, the trace's first span, figures by route and status, an access line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final

import structlog
from aiohttp import web

from gateway.headers import request_id_of
from gateway.routes import Route
from kit.telemetry import scope, tracing
from kit.telemetry.metrics import SLOW, Gauge, Histogram
from kit.telemetry.scope import TRACEPARENT, Scope, TraceContext
from kit.telemetry.tracing import Kind

REQUEST_ID: Final = web.RequestKey("request_id", str)
ROUTE: Final = web.RequestKey("route", Route)
"""Where the handler leaves, in the request, the route that it found."""
_LABELS = ("method", "route", "status")
DURATION = Histogram("prsm_http_request_duration_seconds", "Answered requests.", _LABELS)
STREAMS = Histogram(
    "prsm_http_stream_duration_seconds", "Ended answers in pieces: files, event streams, uploads.", _LABELS, bounds=SLOW
)
UNDER_WAY = Gauge("prsm_http_requests_in_progress", "Requests under way, streams among them.")
_VERBS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_GONE = 499
"""The client left before the answer did."""
_PAGES = frozenset({"/health", "/ready"})

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Watched:
    """Answers as `answer` does, and sees what comes of it."""

    def __init__(self, answer: Answer, *, new_id: Callable[[], str], at_info: bool) -> None:
        self._answer = answer
        self._new_id = new_id
        self._log = structlog.get_logger("access")
        self._at_info = at_info

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        request_id = request_id_of(request.headers) or self._new_id()
        request[REQUEST_ID] = request_id
        given = request.headers.get(TRACEPARENT)
        parent = TraceContext.parse(given) if given else None
        span = tracing.start("HTTP", Kind.SERVER, parent) if request.path not in _PAGES else None
        scope.enter(Scope(request_id, "", parent if span is None else span.context))
        UNDER_WAY.inc()
        began = perf_counter()
        status = 500
        try:
            response = await self._answer(request)
            status = response.status
            return response
        except (asyncio.CancelledError, ConnectionError):
            status = _GONE
            raise
        finally:
            seconds = perf_counter() - began
            UNDER_WAY.dec()
            found = request.get(ROUTE)
            verb = request.method if request.method in _VERBS else "other"
            route = _name(request, found)
            streams = found is not None and (found.gives_stream or found.takes_stream)
            (STREAMS if streams else DURATION).labels(verb, route, str(status)).observe(seconds)
            # Probes ask all the time, and nobody asks about them.
            line = self._log.info if self._at_info and request.path not in _PAGES else self._log.debug
            line("request", method=verb, route=route, status=status, ms=round(seconds * 1000, 2))
            if span is not None:
                span.rename(f"{verb} {route}")
                span.set("http.request.method", verb)
                span.set("http.route", route)
                span.set("http.response.status_code", status)
                span.set("prsm.request_id", request_id)
                if status >= 500:
                    span.fail(str(status))
                span.end()


def _name(request: web.BaseRequest, route: Route | None) -> str:
    """The template of the route, never the path: that may be anything."""
    if route is not None:
        return route.template
    return request.path if request.path in _PAGES else "unmatched"
