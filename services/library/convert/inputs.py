"""The internal messages: a session's inputs, and what workers read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kit.errors import ValidationError
from prsm.library.v1 import internal_pb2
from services.library.convert.bodies import CHUNK
from services.library.convert.places import card_csl, card_works
from services.library.domain import Document
from services.library.holdings import (
    Address,
    DatasetInput,
    DocumentInput,
    InlineDataset,
    InlineDocument,
    Inputs,
    Prepared,
    PreparedInput,
    Reference,
)

_DESCRIBED_BYTES = 1024 * 1024


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


def prepared_message(prepared: Prepared, connectors: Sequence[str]) -> internal_pb2.PrepareInputsResponse:
    """`connectors` are the names of those that are enabled."""
    return internal_pb2.PrepareInputsResponse(
        documents=[_prepared_input(each) for each in prepared.documents],
        datasets=[_prepared_input(each) for each in prepared.datasets],
        faults=[internal_pb2.Fault(field=fault.field, issue=fault.issue) for fault in prepared.faults],
        library_documents=prepared.library_documents,
        library_characters=prepared.library_characters,
        connectors=connectors,
    )


def _prepared_input(prepared: PreparedInput) -> internal_pb2.PreparedInput:
    return internal_pb2.PreparedInput(
        document_id=prepared.document_id,
        title=prepared.title,
        kind=prepared.kind,
        characters=prepared.characters,
        bytes=prepared.size,
    )


def card_messages(document: Document) -> Iterator[internal_pb2.Card]:
    """A document's card; of one with many works further cards, which hold the rest of them."""
    portions = card_works(document)
    card = internal_pb2.Card(
        document_id=document.document_id,
        title=document.title,
        kind=document.kind,
        characters=document.characters,
        pages=len(document.pages),
        authors=document.authors,
        year=document.year,
        doi=document.doi or None,
        url=document.url or document.source_url or None,
        dataset=document.is_dataset,
        csl=card_csl(document.csl),
        works=next(portions, ()),
    )
    yield card
    for portion in portions:
        yield internal_pb2.Card(document_id=document.document_id, works=portion)


def describe_messages(documents: Sequence[Document]) -> Iterator[internal_pb2.DescribeDocumentsResponse]:
    """Their cards, in messages of about 1 MiB at most."""
    cards: list[internal_pb2.Card] = []
    size = 0
    for document in documents:
        for card in card_messages(document):
            if cards and size + card.ByteSize() > _DESCRIBED_BYTES:
                yield internal_pb2.DescribeDocumentsResponse(cards=cards)
                cards, size = [], 0
            cards.append(card)
            size += card.ByteSize()
    if cards:
        yield internal_pb2.DescribeDocumentsResponse(cards=cards)


def content_messages(name: str, data: bytes) -> Iterator[internal_pb2.ReadContentResponse]:
    """Pieces of at most 256 KiB, at least one; the first tells the name."""
    yield internal_pb2.ReadContentResponse(name=name, chunk=data[:CHUNK])
    for begin in range(CHUNK, len(data), CHUNK):
        yield internal_pb2.ReadContentResponse(chunk=data[begin : begin + CHUNK])
