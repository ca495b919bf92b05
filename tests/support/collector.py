"""An OpenTelemetry collector for tests: OTLP over gRPC, as the real ones speak it. It keeps what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True)
class Span:
    """A span as it came; ids in hex, `parent` is "" for a trace's first."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent: str
    failed: bool
    attributes: dict[str, Any] = field(repr=False)


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Use as an async context manager."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._news = asyncio.Condition()
        self._server = grpc.aio.server()
        add: Callable[[object, grpc.aio.Server], None] = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
        add(self, self._server)
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(0)

    async def Export(self, request: Any, context: Any) -> Any:
        for resource in request.resource_spans:
            service = _attributes(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans.extend(_span(service, span) for span in scope.spans)
        async with self._news:
            self._news.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    async def until(self, enough: Callable[[list[Span]], bool]) -> list[Span]:
        """What there is once it is enough."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: enough(self.spans))
        return list(self.spans)


def _span(service: str, span: Any) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=span.kind,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        attributes=_attributes(span.attributes),
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
