"""Lifecycle events: what session publishes, and what it hears from collab."""

from __future__ import annotations

from kit.bus.names import event_subject
from kit.db.outbox import Event
from kit.ids import Ids
from prsm.events.v1 import events_pb2
from services.session.domain import Entry, Session
from services.session.usecases.record_collab_event import CollabEvent


class EventWriter:
    """Makes the event of a change: the session's full state under the version of its last history row."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def __call__(self, session: Session, type_: str) -> Event:
        message = events_pb2.SessionChanged(
            session_id=session.session_id,
            version=session.version,
            type=type_,
            owner=session.owner,
            session_type=session.session_type.value,
            status=session.status.value,
            progress=session.progress,
            current_stage=session.current_stage,
            at_us=session.updated_at,
            engine=session.engine,
            result_epoch=session.result_epoch if session.readable else 0,
            result_hash=session.result_hash if session.readable else "",
            cited_document_ids=session.cited if session.readable else (),
        )
        if session.terminal:
            message.settlement.hold_id = session.session_id
            message.settlement.captured_micros = session.charged
            message.settlement.released_micros = session.released
        return Event(
            id=self._ids.new(),
            type=type_,
            subject=event_subject("session", type_),
            key=session.session_id,
            payload=message.SerializeToString(),
            created_at=session.updated_at,
            traceparent=session.traceparent,
        )


def collab_event_of(payload: bytes) -> CollabEvent:
    message = events_pb2.CollabChanged.FromString(payload)
    detail: dict[str, object] = {"id": message.subject_id}
    for name in ("comment_type", "permissions"):
        if getattr(message, name):
            detail[name] = getattr(message, name)
    if message.recipients:
        detail["recipients"] = message.recipients
    return CollabEvent(
        session_id=message.session_id,
        subject_id=message.subject_id,
        version=message.version,
        entry=Entry(message.type, message.actor, detail),
    )
