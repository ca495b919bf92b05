"""Message → command → message, for workers and for collab."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kit.auth.grants import Grant
from kit.errors import ValidationError
from kit.rpc.call import Call
from prsm.results.v1 import artifacts_pb2
from services.results import convert
from services.results.errors import GrantRefused
from services.results.usecases.get_artifact import GetArtifact, GetInputResults
from services.results.usecases.list_reference_points import ListReferencePoints
from services.results.usecases.put_artifact import PutArtifact


class ArtifactServicer:
    """`prsm.results.v1.ArtifactService`."""

    def __init__(
        self,
        put: PutArtifact,
        get: GetArtifact,
        inputs: GetInputResults,
        points: ListReferencePoints,
    ) -> None:
        self._put = put
        self._get = get
        self._inputs = inputs
        self._points = points

    async def PutArtifact(
        self, requests: AsyncIterator[artifacts_pb2.PutArtifactRequest], call: Call
    ) -> artifacts_pb2.PutArtifactResponse:
        grant = _grant(call)
        first = await anext(requests, None)
        kind = convert.KINDS.get(first.kind) if first is not None else None
        if first is None or kind is None:
            raise ValidationError.of("kind", "say in the first message what is stored")
        return convert.stored_message(await self._put(grant, kind, _chunks(first, requests)))

    async def GetArtifact(
        self, request: artifacts_pb2.GetArtifactRequest, call: Call
    ) -> AsyncIterator[artifacts_pb2.GetArtifactResponse]:
        data = await self._get(_grant(call), request.epoch, request.hash)
        async for chunk in convert.portions(data):
            yield artifacts_pb2.GetArtifactResponse(chunk=chunk)

    async def GetInputResults(
        self, request: artifacts_pb2.GetInputResultsRequest, call: Call
    ) -> AsyncIterator[artifacts_pb2.GetInputResultsResponse]:
        data = await self._inputs(_grant(call), request.session_id)
        async for chunk in convert.portions(data):
            yield artifacts_pb2.GetInputResultsResponse(chunk=chunk)

    async def ListReferencePoints(
        self, request: artifacts_pb2.ListReferencePointsRequest, call: Call
    ) -> artifacts_pb2.ListReferencePointsResponse:
        points = await self._points(request.session_id)
        return artifacts_pb2.ListReferencePointsResponse(reference_points=points)


async def _chunks(
    first: artifacts_pb2.PutArtifactRequest, others: AsyncIterator[artifacts_pb2.PutArtifactRequest]
) -> AsyncIterator[bytes]:
    yield first.chunk
    async for request in others:
        yield request.chunk


def _grant(call: Call) -> Grant:
    if call.grant is None:
        raise GrantRefused("This call needs the session's grant")
    return call.grant
