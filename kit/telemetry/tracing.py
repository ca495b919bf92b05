"""Spans. Without a tracer every function here returns at once; `kit.telemetry.otlp` brings the one there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from kit.telemetry import scope
from kit.telemetry.scope import Scope, TraceContext

Attributes = Mapping[str, str | int | float | bool]


class Kind(Enum):
    """What a span stands for, by OpenTelemetry's names."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class Span(Protocol):
    """Something under way that a trace tells of."""

    @property
    def context(self) -> TraceContext: ...

    def rename(self, name: str) -> None: ...

    def set(self, name: str, value: str | int | float | bool) -> None: ...

    def fail(self, reason: str) -> None:
        """Mark it as failed. `reason` is a code or a class name, never a text that may quote a document."""
        ...

    def end(self) -> None: ...


class Tracer(Protocol):
    def start(self, name: str, kind: Kind, parent: TraceContext | None, attributes: Attributes) -> Span: ...


_tracer: Tracer | None = None
_NOTHING: Attributes = {}


def install(tracer: Tracer | None) -> None:
    """Trace from now on with this tracer, or no more."""
    global _tracer
    _tracer = tracer


def is_on() -> bool:
    """Whether spans can be had at all: for callers to whom even naming one is too much."""
    return _tracer is not None


def start(name: str, kind: Kind, parent: TraceContext | None, attributes: Attributes = _NOTHING) -> Span | None:
    """A span under `parent`, or the first of a new trace; None when nothing is to be recorded.

    Under a parent that is not recorded nothing is: its context simply goes on.
    """
    if _tracer is None or (parent is not None and not parent.sampled):
        return None
    return _tracer.start(name, kind, parent, attributes)


def start_child(name: str, kind: Kind, attributes: Attributes = _NOTHING) -> Span | None:
    """A span under the running work's; None when that belongs to no trace."""
    if _tracer is None:
        return None
    parent = scope.current_trace()
    return None if parent is None else start(name, kind, parent, attributes)


@contextmanager
def working(name: str, kind: Kind, within: Scope, attributes: Attributes = _NOTHING) -> Iterator[Span | None]:
    """Do the block's work under a span of the scope's trace; the scope before comes back afterwards."""
    before = scope.current()
    span = None if within.trace is None else start(name, kind, within.trace, attributes)
    trace = within.trace if span is None else span.context
    scope.enter(Scope(within.request_id, within.session_id, trace))
    try:
        yield span
    except BaseException as error:
        if span is not None:
            span.fail(type(error).__name__)
        raise
    finally:
        if span is not None:
            span.end()
        scope.enter(before or Scope())
