"""An event of the outbox as a message: CloudEvents headers, protobuf payload, and its part in a trace."""

from __future__ import annotations

from kit.bus.publisher import Message
from kit.db.outbox import Event, StoredEvent
from kit.telemetry import tracing
from kit.telemetry.scope import TRACEPARENT, TraceContext
from kit.telemetry.tracing import Kind, Span
from kit.times import rfc3339


def span_of(event: Event) -> Span | None:
    """The span of publishing it; None if it belongs to no trace."""
    parent = TraceContext.parse(event.traceparent)
    if parent is None:
        return None
    attributes = {"messaging.system": "nats", "messaging.message.id": event.id, "prsm.event_key": event.key}
    return tracing.start(f"publish {event.type}", Kind.PRODUCER, parent, attributes)


def message_of(row: StoredEvent, source: str, span: Span | None) -> Message:
    """`source` is the CloudEvents source."""
    event = row.event
    traceparent = event.traceparent if span is None else span.context.traceparent
    trace = {TRACEPARENT: traceparent} if traceparent else {}
    headers = {
        **trace,
        "Nats-Msg-Id": row.message_id,
        "ce-specversion": "1.0",
        "ce-id": event.id,
        "ce-type": event.type,
        "ce-source": source,
        "ce-subject": event.key,
        "ce-time": rfc3339(event.created_at),
        "content-type": "application/protobuf",
    }
    return Message(event.subject, event.payload, headers)
