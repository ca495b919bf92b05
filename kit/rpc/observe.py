"""What is seen of calls: ids for the logs, a span, figures and one access line for each call that is answered."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import structlog
from google.protobuf.descriptor import Descriptor, MethodDescriptor

from kit.levels import Level
from kit.rpc.call import Call
from kit.rpc.rules import MethodRule
from kit.telemetry import scope, tracing
from kit.telemetry.metrics import SLOW, Counter, Gauge, Histogram
from kit.telemetry.scope import TRACEPARENT, Scope, TraceContext
from kit.telemetry.tracing import Kind, Span

log = structlog.get_logger("rpc")
DURATION = Histogram(
    "prsm_rpc_server_duration_seconds", "Answered calls with one answer, by gRPC status code.", ["method", "code"]
)
STREAMS = Histogram(
    "prsm_rpc_server_stream_duration_seconds",
    "Ended calls that stream their answer, by gRPC status code.",
    ["method", "code"],
    bounds=SLOW,
)
UNDER_WAY = Gauge("prsm_rpc_server_calls_in_progress", "Calls under way, streams among them.")
UNEXPECTED = Counter("prsm_rpc_server_unexpected_errors_total", "Calls that ended with an error nobody named.")
UNEXPECTED.prepare()
_under_way = UNDER_WAY.labels()
_CANCELLED = "CANCELLED"


class MethodWatch:
    """Watches the calls of one method."""

    def __init__(self, name: str, rule: MethodRule, descriptor: MethodDescriptor, *, at_info: bool) -> None:
        self.name = name
        self.service, _, self.method = name.rpartition("/")
        # Taken once: the logger is a proxy, which costs more than a line that nobody sees.
        self.line = log.info if at_info else log.debug
        self.durations = STREAMS if descriptor.server_streaming else DURATION
        self.asks_of = _session_path(descriptor.input_type)
        self.answers_of = "" if descriptor.server_streaming else _session_path(descriptor.output_type)
        # What services ask of each other without a trace, such as polling for work, begins none.
        self.begins_traces = rule.level is not Level.INTERNAL

    def begin(self, call: Call) -> CallWatch:
        return CallWatch(self, call)


class CallWatch:
    """One call. `code` is what it ended with; a call that ends without one was cancelled."""

    __slots__ = ("_began", "_call", "_of", "_scope", "_span", "code")

    def __init__(self, of: MethodWatch, call: Call) -> None:
        self._of = of
        self._call = call
        self.code = _CANCELLED
        given = call.metadata.get(TRACEPARENT)
        parent = TraceContext.parse(given) if given else None
        self._span: Span | None = None
        if parent is not None or of.begins_traces:
            self._span = tracing.start(of.name, Kind.SERVER, parent)
        self._scope = Scope(call.request_id, "", parent if self._span is None else self._span.context)
        # A call has a task of its own, so nothing has to be put back.
        scope.enter(self._scope)
        _under_way.inc()
        self._began = perf_counter()

    def asked(self, request: Any) -> None:
        """The request is known."""
        if self._of.asks_of:
            self._scope.session_id = _session_of(request, self._of.asks_of)

    def answered(self, response: Any) -> None:
        """It went well; a stream has no one response."""
        self.code = "OK"
        if self._of.answers_of and not self._scope.session_id:
            self._scope.session_id = _session_of(response, self._of.answers_of)

    def end(self) -> None:
        seconds = perf_counter() - self._began
        of, call = self._of, self._call
        _under_way.dec()
        of.durations.labels(of.name, self.code).observe(seconds)
        of.line("call", method=of.name, code=self.code, ms=round(seconds * 1000, 2), caller=call.caller or call.user_id)
        span = self._span
        if span is not None:
            span.set("rpc.system", "grpc")
            span.set("rpc.service", of.service)
            span.set("rpc.method", of.method)
            span.set("rpc.grpc.status_code", self.code)
            span.set("prsm.request_id", call.request_id)
            if self._scope.session_id:
                span.set("prsm.session_id", self._scope.session_id)
            if self.code not in ("OK", _CANCELLED):
                span.fail(self.code)
            span.end()


def _session_path(message: Descriptor) -> str:
    """Where a message says which session it is about: `session_id`, its lease, its claim's lease, or nowhere."""
    fields = message.fields_by_name
    if "session_id" in fields:
        return "session_id"
    for name in ("lease", "claim"):
        inner = fields[name].message_type if name in fields else None
        if inner is not None and (path := _session_path(inner)):
            return f"{name}.{path}"
    return ""


def _session_of(message: Any, path: str) -> str:
    for name in path.split("."):
        message = getattr(message, name)
    return str(message)
