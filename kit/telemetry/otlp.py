"""The OpenTelemetry SDK behind `tracing`, sending OTLP over gRPC. Imported only where an endpoint is set."""

from __future__ import annotations

import threading

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from kit.telemetry.scope import TraceContext
from kit.telemetry.tracing import Attributes, Kind

log = structlog.get_logger("tracing")
_QUEUE = 4096
"""Spans that wait for the collector at most; beyond, new ones are dropped."""
_BATCH = 512
_EVERY_MS = 1000
_EXPORT_SECONDS = 5
_KINDS = {kind: SpanKind[kind.value] for kind in Kind}


class OtlpSpan:
    """Behind `tracing.Span`."""

    __slots__ = ("_span", "context")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        found = span.get_span_context()
        self.context = TraceContext(f"{found.trace_id:032x}", f"{found.span_id:016x}", found.trace_flags.sampled)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, name: str, value: str | int | float | bool) -> None:
        self._span.set_attribute(name, value)

    def fail(self, reason: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, reason))

    def end(self) -> None:
        self._span.end()


class OtlpTracer:
    """Behind `tracing.Tracer`. A collector that is away or slow costs spans, and nothing else."""

    def __init__(self, service: str, instance: str, version: str, endpoint: str, ratio: float) -> None:
        """`endpoint` is host:port or a URL; http:// and no scheme mean plain text. `ratio` is of new traces."""
        secure = endpoint.startswith("https://")
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=not secure, timeout=_EXPORT_SECONDS)
        resource = Resource.create(
            {"service.name": f"prsm-{service}", "service.instance.id": instance, "service.version": version}
        )
        self._provider = TracerProvider(
            resource=resource, sampler=ParentBased(TraceIdRatioBased(ratio)), shutdown_on_exit=False
        )
        self._batches = BatchSpanProcessor(
            exporter,
            max_queue_size=_QUEUE,
            schedule_delay_millis=_EVERY_MS,
            max_export_batch_size=_BATCH,
            export_timeout_millis=_EXPORT_SECONDS * 1000,
        )
        self._provider.add_span_processor(self._batches)
        self._tracer = self._provider.get_tracer("prsm", version)

    def start(self, name: str, kind: Kind, parent: TraceContext | None, attributes: Attributes) -> OtlpSpan:
        context = trace.set_span_in_context(NonRecordingSpan(_remote(parent))) if parent is not None else None
        # Without a parent the context is empty on purpose: nothing else may have set one.
        span = self._tracer.start_span(name, context or Context(), kind=_KINDS[kind], attributes=dict(attributes))
        return OtlpSpan(span)

    @property
    def waiting(self) -> int:
        """Spans that wait to be sent."""
        return len(self._batches._batch_processor._queue)

    def close(self, seconds: float) -> None:
        """Send what waits, for at most so many seconds. Blocks: not for the event loop."""
        # A thread of its own: the exporter's last attempt must not hold the process's end up.
        flushing = threading.Thread(target=self._provider.shutdown, name="trace-flush", daemon=True)
        flushing.start()
        flushing.join(seconds)
        if flushing.is_alive():
            log.warning("spans were not sent in time")


def _remote(parent: TraceContext) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    return SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
