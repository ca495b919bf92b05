"""Where the library's messages meet its domain."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import orjson
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import PrsmError, ValidationError
from kit.paging import Page, Position, next_cursor
from kit.rpc.reasons import REASONS
from prsm.events.v1 import events_pb2
from prsm.library.v1 import internal_pb2, library_pb2
from services.library.domain import JSON, METADATA_MAX_DEPTH, Document, Draft, Status
from services.library.holdings import (
    Address,
    DatasetInput,
    DocumentInput,
    Hit,
    InlineDataset,
    InlineDocument,
    Inputs,
    Prepared,
    PreparedInput,
    Reference,
    Stored,
)
from services.library.usecases.batch_documents import LineResult
from services.library.usecases.record_citations import SessionCites

CHUNK = 256 * 1024
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
    )
    # Also when it is empty: documented objects are always there.
    message.metadata.update(dict(document.metadata))
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
        # A page of the largest metadata would not cross the edges; each document on its own still shows it.
        for each in message.documents:
            each.metadata.Clear()
    return message


def documents_json(documents: Sequence[Document], *, single: bool) -> bytes:
    """As the edges show `Document`: one, or `{"documents": […]}`."""
    shown = [
        MessageToDict(
            document_message(each), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        for each in documents
    ]
    return orjson.dumps(shown[0] if single else {"documents": shown})


def results_ndjson(results: Sequence[LineResult]) -> bytes:
    """One JSON object a line: `{line, document_id, external_id?, status, characters, change}`, or for a line that
    could not be used `{line, error, message, details?}`."""
    return b"".join(
        orjson.dumps({"line": each.number, **_result(each.outcome)}, option=orjson.OPT_APPEND_NEWLINE)
        for each in results
    )


def _result(outcome: Stored | PrsmError) -> dict[str, JSON]:
    if isinstance(outcome, PrsmError):
        mapped = REASONS[outcome.name]
        body: dict[str, JSON] = {"error": mapped.name, "message": outcome.message or mapped.message}
        return {**body, "details": dict(outcome.details)} if outcome.details else body
    document = outcome.document
    shown: dict[str, JSON] = {"document_id": document.document_id}
    if document.external_id is not None:
        shown["external_id"] = document.external_id
    return {
        **shown,
        "title": document.title,
        "status": document.status.value,
        "characters": document.characters,
        "change": outcome.change.value,
    }


def bodies(content_type: str, data: bytes) -> Iterator[HttpBody]:
    """Pieces of at most 256 KiB, at least one; the first tells the type."""
    yield HttpBody(content_type=content_type, data=data[:CHUNK])
    for begin in range(CHUNK, len(data), CHUNK):
        yield HttpBody(data=data[begin : begin + CHUNK])


async def body_of(requests: AsyncIterator[HttpBody]) -> tuple[str, AsyncIterator[bytes]]:
    """The content type that the first piece names, and all the data."""
    first = await anext(requests, HttpBody())

    async def chunks() -> AsyncIterator[bytes]:
        yield first.data
        async for piece in requests:
            yield piece.data

    return first.content_type, chunks()


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


def inputs_of(message: internal_pb2.PrepareInputsRequest) -> Inputs:
    """Raises ValidationError for an entry that gives nothing, or a table in a form that is not known."""
    return Inputs(
        session_id=message.session_id,
        owner=message.owner,
        documents=[_document_input(number, each) for number, each in enumerate(message.documents)],
        datasets=[_dataset_input(number, each) for number, each in enumerate(message.datasets)],
        use_library=message.use_library,
        dry_run=message.dry_run,
    )


def _document_input(number: int, message: internal_pb2.DocumentSource) -> DocumentInput:
    match message.WhichOneof("source"):
        case "document_id":
            return Reference(message.document_id)
        case "inline":
            return InlineDocument(message.inline.title, message.inline.text)
        case "url":
            return Address(message.url)
    raise ValidationError.of(f"inputs.documents[{number}]", "must be one of document_id, title and text, url")


def _dataset_input(number: int, message: internal_pb2.DatasetSource) -> DatasetInput:
    match message.WhichOneof("source"):
        case "document_id":
            return Reference(message.document_id)
        case "inline" if message.inline.kind in ("csv", "json"):
            return InlineDataset(message.inline.name, message.inline.content, message.inline.kind)
        case "url":
            return Address(message.url)
    raise ValidationError.of(f"inputs.datasets[{number}]", "must be one of document_id, csv, rows, url")


def prepared_message(prepared: Prepared) -> internal_pb2.PrepareInputsResponse:
    return internal_pb2.PrepareInputsResponse(
        documents=[_prepared_input(each) for each in prepared.documents],
        datasets=[_prepared_input(each) for each in prepared.datasets],
        faults=[internal_pb2.Fault(field=fault.field, issue=fault.issue) for fault in prepared.faults],
        library_documents=prepared.library_documents,
        library_characters=prepared.library_characters,
    )


def _prepared_input(prepared: PreparedInput) -> internal_pb2.PreparedInput:
    return internal_pb2.PreparedInput(
        document_id=prepared.document_id,
        title=prepared.title,
        kind=prepared.kind,
        characters=prepared.characters,
        bytes=prepared.size,
    )


def card_message(document: Document) -> internal_pb2.Card:
    return internal_pb2.Card(
        document_id=document.document_id,
        title=document.title,
        kind=document.kind,
        characters=document.characters,
        pages=len(document.pages),
        authors=document.authors,
        year=document.year,
        doi=document.doi or None,
        url=document.url or None,
        dataset=document.is_dataset,
    )


def content_messages(name: str, data: bytes) -> Iterator[internal_pb2.ReadContentResponse]:
    """Pieces of at most 256 KiB, at least one; the first tells the name."""
    yield internal_pb2.ReadContentResponse(name=name, chunk=data[:CHUNK])
    for begin in range(CHUNK, len(data), CHUNK):
        yield internal_pb2.ReadContentResponse(chunk=data[begin : begin + CHUNK])


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
    """What a completed session cites, if anything."""
    message: Any = events_pb2.SessionChanged.FromString(payload)
    if message.status != "completed" or not message.cited_document_ids:
        return None
    return SessionCites(message.session_id, message.version, message.owner, tuple(message.cited_document_ids))
