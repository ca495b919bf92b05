"""Where messages meet the domain."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format

from prsm.results.v1 import artifacts_pb2, results_pb2
from services.results.domain import Artifact, ArtifactKind
from services.results.rendering.rendition import Rendition

CHUNK = 256 * 1024
KINDS = {
    artifacts_pb2.PutArtifactRequest.KIND_CHECKPOINT: ArtifactKind.CHECKPOINT,
    artifacts_pb2.PutArtifactRequest.KIND_RESULT: ArtifactKind.RESULT,
}


def chunks(data: bytes) -> Iterator[bytes]:
    """Pieces of at most 256 KiB, at least one."""
    for start in range(0, max(len(data), 1), CHUNK):
        yield data[start : start + CHUNK]


def bodies(rendition: Rendition) -> Iterator[HttpBody]:
    """A document as a stream; its media type stands in the first message."""
    for index, chunk in enumerate(chunks(rendition.body)):
        yield HttpBody(content_type=rendition.media_type if index == 0 else "", data=chunk)


def results_message(body: bytes) -> results_pb2.GetResultsResponse:
    """The typed twin of the JSON answer."""
    message = results_pb2.GetResultsResponse()
    json_format.ParseDict(orjson.loads(body), message)
    return message


def stored_message(artifact: Artifact) -> artifacts_pb2.PutArtifactResponse:
    return artifacts_pb2.PutArtifactResponse(hash=artifact.key.hash, size=artifact.size)
