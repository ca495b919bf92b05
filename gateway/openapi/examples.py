"""Examples: whole ones of what is sent, and values of fields from which those of answers are put together."""

from __future__ import annotations

from typing import Any, Final

from gateway.openapi.contract import Field
from gateway.openapi.schemas import ANSWER, Schemas, is_required, short

JSON = Any

SESSION_ID: Final = "0197a1c0-5d2e-7c3a-9b1f-2f6d4e8a9c01"
DOCUMENT_ID: Final = "0197a1bf-11aa-7d52-8e43-7a9b0c1d2e3f"
COMMENT_ID: Final = "0197a1d4-88f0-7b6c-a1d2-3c4b5a697887"
STYLE_ID: Final = "0197a1be-3c4d-7e5f-8a6b-7c8d9e0f1a2b"
SHARE_ID: Final = "0197a1d2-0c1b-7e4d-b3a2-9f8e7d6c5b4a"
TRANSACTION_ID: Final = "0197a1c0-6f10-7a2b-8c3d-4e5f60718293"
REQUEST_ID: Final = "0197a1c0-5d2b-7f00-a3c4-d5e6f7081920"
MOMENT: Final = "2026-01-02T10:30:00Z"
_PROMPT: Final = "What limits ocean uptake of carbon dioxide?"
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

REQUESTS: Final[dict[str, dict[str, JSON]]] = {
    "CreateSessionRequest": {
        "prompt": _PROMPT,
        "session_type": "research",
        "budget": {"limit": "5.00", "on_limit": "finish"},
        "preferences": {"depth": "quick", "citation_style": "apa", "seed": 7},
        "metadata": {"project": "ocean sink"},
        "inputs": {
            "documents": [
                {
                    "title": "A note on solubility",
                    "text": "Cold water holds more carbon dioxide than warm water. Uptake is limited by mixing.",
                }
            ]
        },
    },
    "EstimateSessionRequest": {
        "prompt": "Does y grow with x?",
        "session_type": "analysis",
        "inputs": {"datasets": [{"name": "points.csv", "csv": "x,y\n1,2.1\n2,3.9\n3,6.2\n"}]},
    },
    "CancelSessionRequest": {"reason": "The question has been answered elsewhere"},
    "PauseSessionRequest": {},
    "ResumeSessionRequest": {},
    "ShareSessionRequest": {
        "recipients": ["user:grace", "email:ada@example.org", "team:ocean"],
        "permissions": "edit",
        "message": "Have a look at the second section",
    },
    "AddCommentRequest": {
        "content": "Is the buffer capacity accounted for?",
        "comment_type": "question",
        "reference_point": "section:s1",
    },
    "UpdateCommentRequest": {"content": "Is the buffer capacity accounted for, also in winter?", "resolved": False},
    "CreateDocumentRequest": {
        "title": "A note on solubility",
        "text": "Cold water holds more carbon dioxide than warm water.",
        "external_id": "notes/solubility",
        "metadata": {"shelf": "B"},
    },
    "CreateCitationStyleRequest": {
        "name": "Our journal",
        "csl": '<style xmlns="http://purl.org/net/xbiblio/csl" class="in-text" version="1.0"><info><title>Our journal'
        '</title><id>urn:our-journal</id><updated>2026-01-01T00:00:00Z</updated></info><citation><layout prefix="[" '
        'suffix="]"><text variable="citation-number"/></layout></citation><bibliography><layout suffix=".">'
        '<names variable="author" suffix=". "/><text variable="title"/></layout></bibliography></style>',
    },
    "SearchDocumentsRequest": {"query": "carbon dioxide in cold water", "limit": 3},
}
"""Bodies by message."""

PARAMETERS: Final[dict[str, JSON]] = {
    "session_id": SESSION_ID,
    "document_id": DOCUMENT_ID,
    "comment_id": COMMENT_ID,
    "share_id": SHARE_ID,
    "token": "q3Jx0m2oYV7nZ1c8Hk5TfA",
    "status": "completed",
    "session_type": "research",
    "date_from": "2026-01-01",
    "date_to": "2026-01-31",
    "page": 1,
    "limit": 20,
    "scope": "owned",
    "format": "markdown",
    "include_metadata": True,
    "include_raw_data": False,
    "citation_style": "vancouver",
    "language": "en",
    "style_id": STYLE_ID,
    "comment_type": "question",
    "last_event_id": 4,
}
"""Values of path and query parameters; a cursor has none, as only an answer can give one."""

_FIELDS: Final[dict[str, JSON]] = {
    "style_id": STYLE_ID,
    "session_id": SESSION_ID,
    "document_id": DOCUMENT_ID,
    "comment_id": COMMENT_ID,
    "share_id": SHARE_ID,
    "transaction_id": TRANSACTION_ID,
    "prompt": _PROMPT,
    "owner": "ada",
    "actor": "ada",
    "shared_by": "ada",
    "user_id": "ada",
    "name": "Ada",
    "email": "ada@example.org",
    "currency": "FTNS",
    "progress": 40,
    "current_stage": "screening",
    "stage": "screening",
    "at": MOMENT,
    "session_type": "research",
    "confidence_score": 0.82,
    "confidence": 0.9,
    "efficiency_score": 0.93,
    "total_count": 1,
    "page": 1,
    "limit": 20,
    "seq": 4,
    "recipients": ["user:grace"],
    "permissions": "edit",
    "share_url": "https://prsm.example.org/shared/q3Jx0m2oYV7nZ1c8Hk5TfA",
    "session_url": f"/api/v1/sessions/{SESSION_ID}",
    "content": "Is the buffer capacity accounted for?",
    "reference_point": "section:s1",
    "deleted": True,
    "characters": 1840,
    "pages": 2,
    "sha256": _DIGEST,
    "score": 7.31,
    "start": 120,
    "end": 173,
    "quote": "Cold water holds more carbon dioxide than warm water.",
    "title": "Ocean uptake of carbon dioxide",
    "summary": "Uptake is limited by chemistry at the surface and by mixing below it.",
    "authors": ["Revelle, R.", "Suess, H."],
    "citations": ["revelle-1957"],
    "heading": "Carbonate chemistry",
    "body": "The buffer factor grows as the water takes up carbon dioxide.",
    "support": "supported",
    "text": "The buffer factor limits the uptake.",
    "id": "c1",
    "estimated_duration": 3,
    "execution_time": 42,
    "attempts": 1,
    "unit": "passages",
    "item": "reading",
    "quantity": 120,
    "kind": "text",
    "type": "session.running",
    "decision": "search the library",
    "reason": "no documents were named",
    "alternatives": ["ask for documents"],
    "from": "gathering",
    "to": "screening",
    "seconds": 3.2,
    "description": "Hold for a session",
    "line": 1,
    "change": "created",
    "external_id": "notes/solubility",
    "media_type": "application/vnd.vegalite.v5+json",
    "alt": "Uptake by decade, growing from 1.0 to 2.9",
    "message": "Have a look at the second section",
}
_OF: Final[dict[str, JSON]] = {
    "Transaction.kind": "hold",
    "Transaction.amount": "5.00",
    "ResourceAllocation.kind": "hold",
    "ResourceAllocation.unit": "FTNS",
    "Preferences.depth": "quick",
    "Preferences.connectors": [],
    "Budget.limit": "5.00",
    "Budget.on_limit": "finish",
    "Inputs.documents": [{"document_id": DOCUMENT_ID, "title": "A note on solubility"}],
    "CreateSessionResponse.status": "queued",
    "ResumeSessionResponse.status": "queued",
    "PauseSessionResponse.status": "paused",
    "CancelSessionResponse.status": "cancelled",
    "CancelSessionResponse.refund_amount": "3.25",
    "Session.status": "running",
    "SharedSession.status": "running",
    "WatchSessionResponse.status": "running",
    "WatchSessionResponse.type": "stage",
    "Session.metadata": {"project": "ocean sink"},
    "CitationStyle.title": "Our journal",
    "CitationStyle.kind": "numeric",
    "CitationStyle.source": "own",
    "CitationStyle.created_at": MOMENT,
    "Document.status": "ready",
    "Document.title": "A note on solubility",
    "BatchLine.title": "A note on solubility",
    "Hit.title": "A note on solubility",
    "BatchLine.status": "ready",
    "Share.status": "active",
    "Comment.comment_type": "question",
    "SessionSummary.by_status": {"running": 1},
    "SessionSummary.by_type": {"research": 1},
    "PerformanceMetrics.stage_seconds": {"screening": 3.2},
    "CostEstimate.items": [
        {"item": "reading", "quantity": 120, "unit": "passages", "unit_price": "0.01", "amount": "1.20"}
    ],
    "CostEstimate.amount": "1.20",
    "CostEstimate.min": "0.80",
    "CostEstimate.max": "5.00",
    "Citation.id": "revelle-1957",
    "Citation.year": 1957,
    "Citation.doi": None,
    "Citation.url": None,
    "Section.id": "s1",
    "Results.tables": [],
    "Results.figures": [],
    "ResultsAnswer.execution_metadata": {"execution_time": 42},
    "Session.inputs": {"documents": [{"document_id": DOCUMENT_ID}], "datasets": [], "sessions": []},
    "Session.started_at": MOMENT,
    "Citation.csl": {"id": "revelle-1957", "type": "article-journal"},
}
_LEFT_OUT: Final = frozenset(
    ("BatchLine.error", "BatchLine.message", "Document.external_id", "Hit.external_id", "Hit.page")
)


def answer(schemas: Schemas, type_name: str) -> dict[str, JSON]:
    """An example of a message as answers show it."""
    message = schemas.message(type_name)
    made: dict[str, JSON] = {}
    for field in message.fields:
        key = f"{short(type_name)}.{field.name}"
        if key in _OF:
            made[field.name] = _OF[key]
        elif is_required(field, ANSWER) or (field.name in _FIELDS and key not in _LEFT_OUT):
            made[field.name] = _value(schemas, field)
    return made


def _value(schemas: Schemas, field: Field) -> JSON:
    if field.kind == "message":
        one = _message(schemas, field)
        return [one] if field.repeated else one
    if field.name in _FIELDS and not (field.kind == "enum" and not _is_of(schemas, field)):
        return _FIELDS[field.name]
    if field.repeated:
        return []
    match field.kind:
        case "enum":
            return schemas.enum(field.type_name).values[0][0]
        case "int32":
            return 0
        case "double":
            return 0.5
        case "bool":
            return False
        case "map":
            return {}
        case _:
            return "1.20" if "pattern" in schemas.property(field, ANSWER) else ""


def _is_of(schemas: Schemas, field: Field) -> bool:
    return _FIELDS[field.name] in {name for name, _ in schemas.enum(field.type_name).values}


def _message(schemas: Schemas, field: Field) -> JSON:
    match field.type_name:
        case "google.protobuf.Timestamp":
            return MOMENT
        case "google.protobuf.ListValue":
            return []
        case "google.protobuf.Struct":
            return {}
        case own:
            return answer(schemas, own)
