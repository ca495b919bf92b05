"""Session, results and library as small servicers behind kit's pipeline, for one worker process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from kit.auth.grants import Grant
from kit.errors import Forbidden, PrsmError
from kit.rpc.call import Call
from prsm.library.v1 import internal_pb2, library_pb2
from prsm.results.v1 import artifacts_pb2
from prsm.session.v1 import worker_pb2


class StaleEpoch(PrsmError):
    reason = "STALE_EPOCH"


@dataclass
class SessionStandIn:
    """Hands out the claims that are put into `waiting`, and keeps what it is told."""

    waiting: list[worker_pb2.Claim] = field(default_factory=list)
    directive: worker_pb2.Directive.ValueType = worker_pb2.DIRECTIVE_GO_ON
    stale: bool = False
    hanging: int = 0
    """Heartbeats that are to stay without an answer."""
    calls: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    beats: list[Any] = field(default_factory=list)

    async def next(self, kind: type[Any]) -> Any:
        """The next call; it must be of this kind."""
        async with asyncio.timeout(60):
            call = await self.calls.get()
        assert isinstance(call, kind), call
        return call

    async def ClaimNext(self, request: Any, call: Call) -> worker_pb2.ClaimNextResponse:
        for claim in self.waiting:
            if claim.engine in request.engines:
                self.waiting.remove(claim)
                claim.lease.worker_id = request.worker_id
                await self.calls.put(request)
                return worker_pb2.ClaimNextResponse(claim=claim)
        return worker_pb2.ClaimNextResponse()

    async def Start(self, request: Any, call: Call) -> worker_pb2.StartResponse:
        await self._take(request)
        return worker_pb2.StartResponse()

    async def BeginStage(self, request: Any, call: Call) -> worker_pb2.BeginStageResponse:
        await self._take(request)
        return worker_pb2.BeginStageResponse(directive=self.directive)

    async def Heartbeat(self, request: Any, call: Call) -> worker_pb2.HeartbeatResponse:
        self.beats.append(request)
        if self.hanging > 0:
            self.hanging -= 1
            await asyncio.Event().wait()
        if self.stale:
            raise StaleEpoch()
        return worker_pb2.HeartbeatResponse(directive=self.directive, lease_us=15_000_000)

    async def Checkpoint(self, request: Any, call: Call) -> worker_pb2.CheckpointResponse:
        await self._take(request)
        return worker_pb2.CheckpointResponse(directive=self.directive)

    async def Complete(self, request: Any, call: Call) -> worker_pb2.CompleteResponse:
        await self._take(request)
        return worker_pb2.CompleteResponse()

    async def Fail(self, request: Any, call: Call) -> worker_pb2.FailResponse:
        await self._take(request)
        return worker_pb2.FailResponse()

    async def Release(self, request: Any, call: Call) -> worker_pb2.ReleaseResponse:
        await self._take(request)
        return worker_pb2.ReleaseResponse()

    async def _take(self, request: Any) -> None:
        await self.calls.put(request)


@dataclass
class ResultsStandIn:
    """Artifacts by hash, with the grants that they came with."""

    stored: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    inputs: dict[str, bytes] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)

    async def PutArtifact(self, requests: AsyncIterator[Any], call: Call) -> artifacts_pb2.PutArtifactResponse:
        self._admit(call)
        parts = [request async for request in requests]
        content = b"".join(part.chunk for part in parts)
        digest = hashlib.sha256(content).hexdigest()
        self.stored[digest] = (parts[0].kind, content)
        return artifacts_pb2.PutArtifactResponse(hash=digest, size=len(content))

    async def GetArtifact(self, request: Any, call: Call) -> AsyncIterator[artifacts_pb2.GetArtifactResponse]:
        self._admit(call)
        content = self.stored[request.hash][1]
        for start in range(0, len(content), 7):
            yield artifacts_pb2.GetArtifactResponse(chunk=content[start : start + 7])

    async def GetInputResults(self, request: Any, call: Call) -> AsyncIterator[artifacts_pb2.GetInputResultsResponse]:
        self._admit(call)
        yield artifacts_pb2.GetInputResultsResponse(chunk=self.inputs[request.session_id])

    async def ListReferencePoints(self, request: Any, call: Call) -> artifacts_pb2.ListReferencePointsResponse:
        raise Forbidden()

    def _admit(self, call: Call) -> None:
        if call.grant is None:
            raise Forbidden()
        self.grants.append(call.grant)


@dataclass
class LibraryStandIn:
    """Texts in chunks that end inside characters."""

    texts: dict[str, str] = field(default_factory=dict)
    raw: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    searches: list[Any] = field(default_factory=list)

    async def SearchPassages(self, request: Any, call: Call) -> internal_pb2.SearchPassagesResponse:
        self.searches.append(request)
        hits = [
            library_pb2.Hit(document_id=key, title=key, score=1.5, quote=text[:5], start=0, end=5)
            for key, text in self.texts.items()
            if request.query in text
        ]
        return internal_pb2.SearchPassagesResponse(hits=hits[: request.limit])

    async def DescribeDocuments(self, request: Any, call: Call) -> AsyncIterator[Any]:
        wanted = set(request.document_ids)
        for key, text in self.texts.items():
            if not wanted or key in wanted:
                card = internal_pb2.Card(document_id=key, title=key, kind="text", characters=len(text), year=1999)
                yield internal_pb2.DescribeDocumentsResponse(cards=[card])
        for key in self.raw:
            if not wanted or key in wanted:
                card = internal_pb2.Card(document_id=key, title=key, kind="csv", dataset=True)
                yield internal_pb2.DescribeDocumentsResponse(cards=[card])

    async def ReadContent(self, request: Any, call: Call) -> AsyncIterator[internal_pb2.ReadContentResponse]:
        if call.grant is None:
            raise Forbidden()
        if request.form == internal_pb2.ReadContentRequest.FORM_TEXT:
            name, content = request.document_id, self.texts[request.document_id].encode()
        else:
            name, content = self.raw[request.document_id]
        for start in range(0, len(content), 5):
            yield internal_pb2.ReadContentResponse(chunk=content[start : start + 5], name=name if not start else "")

    async def GatherWorks(self, request: Any, call: Call) -> AsyncIterator[internal_pb2.GatherWorksResponse]:
        yield internal_pb2.GatherWorksResponse()

    async def PrepareInputs(self, request: Any, call: Call) -> internal_pb2.PrepareInputsResponse:
        raise Forbidden()

    async def DiscardInputs(self, request: Any, call: Call) -> internal_pb2.DiscardInputsResponse:
        raise Forbidden()
