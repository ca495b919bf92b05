"""Spans as they reach a real collector, and what happens when there is none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from kit.telemetry import scope, tracing
from kit.telemetry.otlp import OtlpTracer
from kit.telemetry.scope import Scope, TraceContext
from kit.telemetry.tracing import Kind
from tests.support.collector import Collector
from tests.support.nats import free_port

PARENT = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", True)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with Collector() as found:
        yield found


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    tracing.install(None)
    scope.enter(Scope())


def tracer(target: str, ratio: float = 1.0) -> OtlpTracer:
    found = OtlpTracer("test", "here", "1", target, ratio)
    tracing.install(found)
    return found


async def test_spans_nest_by_the_scope(collector: Collector) -> None:
    sending = tracer(collector.target)
    with tracing.working("outer", Kind.CONSUMER, Scope("", "s-1", PARENT)):
        inner = tracing.start_child("inner", Kind.CLIENT)
        assert inner is not None
        inner.set("rpc.system", "grpc")
        inner.end()
    await asyncio.to_thread(sending.close, 10.0)
    spans = {span.name: span for span in collector.spans}
    assert {span.trace_id for span in spans.values()} == {PARENT.trace_id}
    assert spans["outer"].parent == PARENT.span_id
    assert spans["inner"].parent == spans["outer"].span_id
    assert spans["inner"].attributes["rpc.system"] == "grpc"
    assert spans["inner"].service == "prsm-test"


async def test_the_scope_before_comes_back(collector: Collector) -> None:
    tracer(collector.target)
    before = Scope("r-1")
    scope.enter(before)
    with pytest.raises(KeyError), tracing.working("work", Kind.INTERNAL, Scope("", "s-1", PARENT)):
        raise KeyError("a user's word")
    assert scope.current() is before


async def test_a_failure_is_marked_by_its_class_alone(collector: Collector) -> None:
    sending = tracer(collector.target)
    with pytest.raises(KeyError), tracing.working("work", Kind.INTERNAL, Scope("", "", PARENT)):
        raise KeyError("a user's word")
    await asyncio.to_thread(sending.close, 10.0)
    (span,) = collector.spans
    assert span.failed
    assert "a user's word" not in repr(span)


async def test_what_a_parent_does_not_record_is_not_recorded(collector: Collector) -> None:
    tracer(collector.target)
    unsampled = TraceContext(PARENT.trace_id, PARENT.span_id, False)
    assert tracing.start("work", Kind.SERVER, unsampled) is None


async def test_the_ratio_is_of_new_traces_only(collector: Collector) -> None:
    sending = tracer(collector.target, ratio=0.0)
    for parent in (None, PARENT):
        span = tracing.start("work", Kind.SERVER, parent)
        assert span is not None
        assert span.context.sampled is (parent is not None)
        span.end()
    await asyncio.to_thread(sending.close, 10.0)
    assert [span.parent for span in collector.spans] == [PARENT.span_id]


def test_without_a_tracer_nothing_is_made() -> None:
    assert tracing.start("work", Kind.SERVER, PARENT) is None
    scope.enter(Scope("", "", PARENT))
    assert tracing.start_child("work", Kind.CLIENT) is None


def test_a_collector_that_is_away_holds_nothing_up() -> None:
    sending = tracer(f"127.0.0.1:{free_port()}")
    for _ in range(20_000):
        span = tracing.start("work", Kind.SERVER, PARENT)
        assert span is not None
        span.end()
    assert sending.waiting <= 4096
    before = set(threading.enumerate())
    sending.close(0.01)
    # The exporter goes on trying for five seconds.
    assert [each.name for each in set(threading.enumerate()) - before] == ["trace-flush"]
