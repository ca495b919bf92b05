"""Events: what the library publishes, and what it hears from session."""

from __future__ import annotations

from prsm.events.v1 import events_pb2
from services.library.domain import Document
from services.library.usecases.record_citations import SessionCites


def document_changed(document: Document, deleted: bool, at: int) -> bytes:
    """The payload of a document's event. A document changes once, when it is deleted."""
    return events_pb2.DocumentChanged(
        document_id=document.document_id,
        version=2 if deleted else 1,
        type="document.deleted" if deleted else "document.stored",
        owner=document.owner,
        status=document.status.value,
        at_us=at,
    ).SerializeToString()


def citations_of(payload: bytes) -> SessionCites | None:
    """What a session with results cites, if anything: a completed one, or one whose time was up."""
    message = events_pb2.SessionChanged.FromString(payload)
    if message.status not in ("completed", "timeout") or not message.cited_document_ids:
        return None
    return SessionCites(message.session_id, message.version, message.owner, tuple(message.cited_document_ids))
