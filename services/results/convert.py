"""Where messages meet the domain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format

from kit.errors import PayloadTooLarge
from prsm.results.v1 import artifacts_pb2, results_pb2
from services.results.domain import Artifact, ArtifactKind
from services.results.large.flow import Flow
from services.results.rendering.rendition import Rendition

CHUNK = 256 * 1024
MOST_TYPED = 4 * 1024 * 1024
"""Bytes of the typed twin: what gRPC's clients take in one message unless told otherwise."""
KINDS = {
    artifacts_pb2.PutArtifactRequest.KIND_CHECKPOINT: ArtifactKind.CHECKPOINT,
    artifacts_pb2.PutArtifactRequest.KIND_RESULT: ArtifactKind.RESULT,
}


async def portions(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Portions of 256 KiB, the last one shorter; at least one. So the first one leaves when something of what is still
    to be read has come, and an error can still be told until then."""
    held = b""
    is_first = True
    async for piece in pieces:
        held = held + piece if held else piece
        whole = len(held) - len(held) % CHUNK
        for start in range(0, whole, CHUNK):
            is_first = False
            yield held[start : start + CHUNK]
        held = held[whole:]
    if held or is_first:
        yield held


async def bodies(document: Rendition | Flow) -> AsyncIterator[HttpBody]:
    """A document as a stream; its media type stands in the first message."""
    media_type = document.media_type
    pieces = document.pieces() if isinstance(document, Flow) else _one(document.body)
    async for chunk in portions(pieces):
        yield HttpBody(content_type=media_type, data=chunk)
        media_type = ""


def length_of(document: Rendition | Flow) -> int | None:
    """Bytes of a document, None where they are not known before its end."""
    return document.length if isinstance(document, Flow) else len(document.body)


async def results_message(document: Rendition | Flow) -> results_pb2.GetResultsResponse:
    """The typed twin of the JSON answer. Raises PayloadTooLarge for one that no message should hold."""
    length = length_of(document)
    if length is None or length > MOST_TYPED:
        raise _too_large()
    body = b"".join([piece async for piece in document.pieces()]) if isinstance(document, Flow) else document.body
    # Some megabytes take a second: others have their turn meanwhile.
    message = await asyncio.to_thread(_parsed, body)
    if message.ByteSize() > MOST_TYPED:
        raise _too_large()
    return message


def _parsed(body: bytes) -> results_pb2.GetResultsResponse:
    return json_format.ParseDict(orjson.loads(body), results_pb2.GetResultsResponse())


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(
        f"These results do not fit into one message of {MOST_TYPED} bytes: choose members with fields, read pages with "
        "limit and cursor, or read all of it as a stream with ReadResults",
        details={"limit_bytes": MOST_TYPED, "parameters": ["fields", "limit", "cursor"], "streamed_by": "ReadResults"},
    )


def stored_message(artifact: Artifact) -> artifacts_pb2.PutArtifactResponse:
    return artifacts_pb2.PutArtifactResponse(hash=artifact.key.hash, size=artifact.size)
