"""Client requests as commands."""

from __future__ import annotations

from typing import Any

from kit.errors import ValidationError
from kit.paging import page_of
from prsm.session.v1 import session_pb2
from services.session.convert.json_values import list_of, object_of
from services.session.domain import JsonObject
from services.session.drafts import DatasetDraft, DocumentDraft, Draft
from services.session.usecases.list_sessions import ListQuery

_SCALARS = (
    "depth",
    "engine",
    "citation_style",
    "language",
    "max_documents",
    "time_limit_minutes",
    "seed",
    "model",
)


def draft_of(request: session_pb2.CreateSessionRequest | session_pb2.EstimateSessionRequest) -> Draft:
    budget = request.budget
    return Draft(
        prompt=request.prompt,
        session_type=request.session_type,
        limit=_given(budget, "limit"),
        on_limit=_given(budget, "on_limit"),
        preferences=preferences_of(request.preferences),
        metadata=object_of(request.metadata),
        documents=tuple(
            DocumentDraft(*(_given(d, name) for name in ("document_id", "title", "text", "url")))
            for d in request.inputs.documents
        ),
        datasets=tuple(
            DatasetDraft(
                document_id=_given(d, "document_id"),
                name=_given(d, "name"),
                csv=_given(d, "csv"),
                rows=list_of(d.rows) if d.HasField("rows") else None,
                url=_given(d, "url"),
            )
            for d in request.inputs.datasets
        ),
        sessions=tuple(request.inputs.sessions),
    )


def _given(message: Any, name: str) -> Any:
    return getattr(message, name) if message.HasField(name) else None


def preferences_of(message: session_pb2.Preferences) -> JsonObject:
    """What was given and nothing else."""
    given: JsonObject = {name: getattr(message, name) for name in _SCALARS if message.HasField(name)}  # type: ignore[arg-type]
    if message.connectors:
        given["connectors"] = list(message.connectors)
    if message.HasField("analysis"):
        given["analysis"] = object_of(message.analysis)
    return given


def list_query_of(request: session_pb2.ListSessionsRequest) -> ListQuery:
    """A cursor goes before a page. Raises ValidationError for one that was not answered by a list."""
    return ListQuery(
        page=page_of(
            request.page if request.HasField("page") else None,
            request.limit if request.HasField("limit") else None,
            request.cursor,
        ),
        status=request.status,
        session_type=request.session_type,
        date_from=request.date_from,
        date_to=request.date_to,
        scope=request.scope,
    )


def resume_after(header: str | None, request: session_pb2.StreamEventsRequest) -> int:
    """After which event a stream goes on. Raises ValidationError for a header that is no number."""
    text = (header or "").strip()
    if not text:
        return request.last_event_id if request.HasField("last_event_id") else 0
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValidationError.of("Last-Event-ID", "send the id of an event of this stream")
    return int(text)
