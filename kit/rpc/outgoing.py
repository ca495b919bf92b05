"""What is seen of calls to other services: a span, figures, and the ids that go along."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from kit.telemetry import scope, tracing
from kit.telemetry.metrics import Histogram
from kit.telemetry.tracing import Kind

DURATION = Histogram("prsm_rpc_client_duration_seconds", "Calls of this process to others.", ["peer", "code"])


class PeerCall:
    """One call to another service, as the caller sees it."""

    __slots__ = ("_began", "_peer", "_span", "metadata")

    def __init__(self, peer: str, request: Any) -> None:
        self._peer = peer
        self._span = tracing.start_child(_name(peer, request), Kind.CLIENT) if tracing.is_on() else None
        self.metadata = scope.headers(None if self._span is None else self._span.context)
        self._began = perf_counter()

    def end(self, code: str = "OK") -> None:
        DURATION.labels(self._peer, code).observe(perf_counter() - self._began)
        span = self._span
        if span is not None:
            span.set("rpc.system", "grpc")
            span.set("rpc.grpc.status_code", code)
            if code != "OK":
                span.fail(code)
            span.end()


def _name(peer: str, request: Any) -> str:
    """Of the span: the service and its method; a stream of requests has no one message to tell it."""
    descriptor = getattr(request, "DESCRIPTOR", None)
    method = descriptor.name.removesuffix("Request") if descriptor is not None else "stream"
    return f"{peer}/{method}"
