"""What the running task works for: the request, the session and the trace. Logs, outgoing calls and events carry it.

It lives in one context variable, so that tasks and threads started for the work inherit it, and costs one store a call.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 0x01
TRACEPARENT = "traceparent"
REQUEST_ID = "x-request-id"


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace, as W3C Trace Context has it: ids in lower-case hex, and whether it is recorded."""

    trace_id: str
    span_id: str
    sampled: bool

    @classmethod
    def parse(cls, traceparent: str) -> TraceContext | None:
        """None for what is no valid `traceparent` of version 00; a caller's mistake is never ours."""
        match = _TRACEPARENT.fullmatch(traceparent)
        if match is None:
            return None
        trace_id, span_id, flags = match.groups()
        if not trace_id.strip("0") or not span_id.strip("0"):
            return None
        return cls(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled:02d}"


@dataclass(slots=True)
class Scope:
    """Empty strings stand for what is not known (yet)."""

    request_id: str = ""
    session_id: str = ""
    trace: TraceContext | None = None


_scope: ContextVar[Scope | None] = ContextVar("prsm_scope", default=None)


def enter(scope: Scope) -> None:
    """Work under this scope from here on in this task, and in what it starts."""
    _scope.set(scope)


def current() -> Scope | None:
    return _scope.get()


def current_trace() -> TraceContext | None:
    scope = _scope.get()
    return None if scope is None else scope.trace


def traceparent() -> str:
    """Of the running work; "" without a trace."""
    trace = current_trace()
    return "" if trace is None else trace.traceparent


def headers(trace: TraceContext | None = None) -> tuple[tuple[str, str], ...]:
    """Metadata that carries the scope to another process; `trace` goes before the scope's own."""
    scope = _scope.get()
    if scope is None:
        return ()
    trace = trace or scope.trace
    pairs = [(REQUEST_ID, scope.request_id)] if scope.request_id else []
    if trace is not None:
        pairs.append((TRACEPARENT, trace.traceparent))
    return tuple(pairs)
