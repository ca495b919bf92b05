"""The two services that collab asks, as far as it asks them, behind real gRPC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from kit.errors import ResultsNotAvailable
from kit.rpc.reasons import refusal
from prsm.results.v1 import artifacts_pb2
from prsm.session.v1 import internal_pb2, session_pb2


@dataclass
class Known:
    """A session as the neighbours know it; `references` is None before there are results."""

    owner: str
    status: session_pb2.Session.Status.ValueType = session_pb2.Session.running
    stages: tuple[str, ...] = ("gather", "write")
    references: tuple[str, ...] | None = ("section:s1", "claim:c1", "citation:k1", "figure:f1")


@dataclass
class Neighbours:
    """Both services on one port. Take a session away or change it, and they answer so from then on."""

    sessions: dict[str, Known] = field(default_factory=dict)
    metadata: list[dict[str, Any]] = field(default_factory=list)

    async def start(self) -> grpc.aio.Channel:
        self._server = grpc.aio.server()
        session = internal_pb2.DESCRIPTOR.services_by_name["SessionInternalService"]
        artifacts = artifacts_pb2.DESCRIPTOR.services_by_name["ArtifactService"]
        handlers = (
            _unary(session, "LookUpSession", _Session(self).LookUpSession),
            _unary(artifacts, "ListReferencePoints", _Artifacts(self).ListReferencePoints),
        )
        self._server.add_generic_rpc_handlers(handlers)
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()
        return grpc.aio.insecure_channel(self.target)

    async def stop(self) -> None:
        await self._server.stop(0)

    def note(self, context: Any) -> None:
        self.metadata.append(dict(context.invocation_metadata()))


class _Session:
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def LookUpSession(self, request: Any, context: Any) -> Any:
        self._neighbours.note(context)
        known = self._neighbours.sessions.get(request.session_id)
        if known is None:
            return internal_pb2.LookUpSessionResponse(found=False)
        answer = internal_pb2.LookUpSessionResponse(
            found=True,
            owner=known.owner,
            status=known.status,
            session_type=session_pb2.Session.research,
            prompt="What is known?",
            stages=known.stages,
        )
        answer.created_at.FromSeconds(1_700_000_000)
        return answer


class _Artifacts:
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def ListReferencePoints(self, request: Any, context: Any) -> Any:
        self._neighbours.note(context)
        references = self._neighbours.sessions[request.session_id].references
        if references is None:
            error = refusal(ResultsNotAvailable(), now=0, request_id="r")
            await context.abort(error.code, error.message, error.trailing)
        return artifacts_pb2.ListReferencePointsResponse(reference_points=references)


def _unary(service: ServiceDescriptor, method: str, behaviour: Any) -> grpc.GenericRpcHandler:
    request = GetMessageClass(service.methods_by_name[method].input_type)
    handler: Any = grpc.unary_unary_rpc_method_handler(
        behaviour, request.FromString, lambda message: message.SerializeToString()
    )
    return grpc.method_handlers_generic_handler(service.full_name, {method: handler})
