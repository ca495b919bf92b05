"""Bodies that are no message of ours: pieces of `google.api.HttpBody`, and the JSON that travels in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

import orjson
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.json_format import MessageToDict

from kit.errors import PrsmError
from kit.rpc.reasons import REASONS
from services.library.convert.documents import document_message
from services.library.domain import JSON, Document
from services.library.holdings import Stored
from services.library.usecases.batch_documents import LineResult

CHUNK = 256 * 1024


def documents_json(documents: Sequence[Document], *, single: bool) -> bytes:
    """As the edges show `Document`, in the order of its fields: one, or `{"documents": […]}`."""
    shown = [_shown(each) for each in documents]
    return orjson.dumps(shown[0] if single else {"documents": shown})


def _shown(document: Document) -> dict[str, JSON]:
    message = document_message(document)
    found = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return {field.name: _whole(found[field.name]) for field in message.DESCRIPTOR.fields if field.name in found}


def _whole(value: JSON) -> JSON:
    """Numbers of free objects are doubles on their way; whole ones look whole again."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


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


def pieces(content_type: str, data: bytes) -> Iterator[HttpBody]:
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
