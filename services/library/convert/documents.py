"""The public messages: requests in, documents and hits out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import ValidationError
from kit.paging import Page, Position, next_cursor
from prsm.library.v1 import library_pb2
from services.library.convert.places import add_places, struct_of
from services.library.domain import JSON, METADATA_MAX_DEPTH, Document, Draft, Status
from services.library.holdings import Hit

_PAGE_BYTES = 900 * 1024
_EXACT = 2**53
_STATUS = {Status.READY: library_pb2.Document.ready, Status.UNREADABLE: library_pb2.Document.unreadable}


def timestamp(instant: int) -> Timestamp:
    """Milliseconds are the finest that leaves the platform."""
    message = Timestamp()
    message.FromMicroseconds(instant // 1000 * 1000)
    return message


def draft_of(message: library_pb2.CreateDocumentRequest) -> Draft:
    """Raises ValidationError for metadata that JSON cannot hold."""
    return Draft(
        title=message.title,
        text=message.text,
        external_id=message.external_id if message.HasField("external_id") else None,
        metadata=_object(message.metadata, 1),
    )


def _object(message: Struct, level: int) -> dict[str, JSON]:
    return {key: _value(value, level) for key, value in message.fields.items()}


def _value(message: Value, level: int) -> JSON:
    if level > METADATA_MAX_DEPTH + 1:
        raise ValidationError.of("metadata", f"must be nested at most {METADATA_MAX_DEPTH} levels deep")
    match message.WhichOneof("kind"):
        case "struct_value":
            return _object(message.struct_value, level + 1)
        case "list_value":
            return [_value(each, level + 1) for each in message.list_value.values]
        case "string_value":
            return message.string_value
        case "bool_value":
            return message.bool_value
        case "number_value":
            return _number(message.number_value)
    return None


def _number(number: float) -> JSON:
    if not math.isfinite(number):
        raise ValidationError.of("metadata", "must not hold NaN or infinity")
    # Whole numbers look whole again; beyond 2^53 a double stands for more than one.
    return int(number) if number == int(number) and abs(number) <= _EXACT else number


def document_message(document: Document) -> library_pb2.Document:
    message = library_pb2.Document(
        document_id=document.document_id,
        title=document.title,
        kind=document.kind,
        pages=len(document.pages),
        characters=document.characters,
        status=_STATUS[document.status],
        problems=document.problems,
        external_id=document.external_id,
        authors=document.authors,
        year=document.year,
        doi=document.doi or None,
        sha256=document.text_sha256,
        dataset=document.is_dataset,
        created_at=timestamp(document.created_at),
        updated_at=timestamp(document.created_at),
        url=document.url or None,
        source_url=document.source_url or None,
        csl=struct_of(document.csl),
        duplicate_of=document.duplicate_of or None,
        same_work_as=document.same_work_as or None,
    )
    # Also when it is empty: documented objects are always there.
    message.metadata.SetInParent()
    message.metadata.update(dict(document.metadata))
    add_places(message, document, _PAGE_BYTES - message.ByteSize())
    return message


def documents_message(listed: Sequence[Document], total: int, page: Page) -> library_pb2.ListDocumentsResponse:
    last = Position(listed[-1].created_at, listed[-1].document_id) if listed else None
    message = library_pb2.ListDocumentsResponse(
        documents=[document_message(document) for document in listed],
        total_count=total,
        page=page.number,
        limit=page.limit,
        next_cursor=next_cursor(page, len(listed), last, total),
    )
    if message.ByteSize() > _PAGE_BYTES:
        # A page of the largest would not cross the edges; each document on its own still shows what it has.
        for each in message.documents:
            each.metadata.Clear()
            each.metadata.SetInParent()
            for name in ("csl", "tables", "works"):
                each.ClearField(name)
    return message


def hit_message(hit: Hit) -> library_pb2.Hit:
    return library_pb2.Hit(
        document_id=hit.document_id,
        external_id=hit.external_id,
        title=hit.title,
        score=hit.score,
        quote=hit.quote,
        page=hit.page,
        start=hit.start,
        end=hit.end,
    )
