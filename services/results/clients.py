"""The session service behind its port."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict

from kit.errors import SessionNotFound
from kit.rpc.client import Peer
from kit.rpc.sessions import SessionDirectory
from prsm.session.v1 import internal_pb2, internal_pb2_grpc
from services.results.domain import ArtifactKey
from services.results.ports import Execution, Pointer


class GrpcSessions:
    """Behind `ports.Sessions`."""

    def __init__(
        self,
        directory: SessionDirectory,
        stub: internal_pb2_grpc.SessionInternalServiceAsyncStub,
        peer: Peer,
        *,
        deadline: float = 5.0,
    ) -> None:
        """`deadline` is in seconds."""
        self._directory = directory
        self._stub = stub
        self._peer = peer
        self._deadline = deadline

    async def pointer(self, session_id: str) -> Pointer | None:
        facts = await self._directory.find(session_id)
        if facts is None:
            return None
        key = ArtifactKey(session_id, facts.result_epoch, facts.result_hash) if facts.result_hash else None
        return Pointer(session_id, facts.prompt, key, facts.citation_style or "apa", facts.language or "en")

    async def execution(self, session_id: str) -> Execution:
        request = internal_pb2.DescribeExecutionRequest(session_id=session_id)
        answer = await self._peer.call(self._stub.DescribeExecution, request, timeout=self._deadline)
        facts = await self._directory.find(session_id)
        if facts is None or not answer.HasField("metadata"):
            raise SessionNotFound()
        return Execution(
            # The question stands on a report's first page.
            metadata={**_object(answer.metadata), "prompt": facts.prompt},
            decisions=[_object(point) for point in answer.history.decision_points],
            usage=[_object(item) for item in answer.metrics.cost_breakdown.items],
        )


def _object(message: Any) -> dict[str, Any]:
    """A message as the REST API shows it: documented fields always there, names as in the proto."""
    shown: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return shown
