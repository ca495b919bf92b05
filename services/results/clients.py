"""The session service behind its port."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, TypeVar

from google.protobuf.json_format import MessageToDict

from kit.errors import SessionNotFound
from kit.rpc.client import Peer
from kit.rpc.sessions import SessionDirectory
from prsm.session.v1 import internal_pb2, internal_pb2_grpc
from services.results.domain import ArtifactKey
from services.results.ports import Execution, Pointer

T = TypeVar("T")
_DIGESTS = 10_000
_EXECUTIONS = 32
"""They may hold thousands of decisions."""


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
        self._digests: OrderedDict[str, str] = OrderedDict()
        self._last: OrderedDict[str, Execution] = OrderedDict()

    async def pointer(self, session_id: str) -> Pointer | None:
        facts = await self._directory.find(session_id)
        if facts is None:
            return None
        key = ArtifactKey(session_id, facts.result_epoch, facts.result_hash) if facts.result_hash else None
        return Pointer(
            session_id,
            facts.prompt,
            key,
            facts.citation_style or "apa",
            facts.language or "en",
            facts.status,
            facts.progress,
        )

    async def execution(self, session_id: str) -> Execution:
        """Of a session that has ended it never changes: its settlement was part of its end."""
        known = self._last.get(session_id)
        return known if known is not None else await self._described(session_id)

    async def execution_digest(self, session_id: str) -> str:
        known = self._digests.get(session_id)
        return known if known is not None else (await self._described(session_id)).digest()

    async def _described(self, session_id: str) -> Execution:
        request = internal_pb2.DescribeExecutionRequest(session_id=session_id)
        # First whether it has ended: what is described after that is final.
        facts = await self._directory.find(session_id)
        answer = await self._peer.call(self._stub.DescribeExecution, request, timeout=self._deadline)
        if facts is None or not answer.HasField("metadata"):
            raise SessionNotFound()
        execution = Execution(
            # The question stands on a report's first page.
            metadata={**_object(answer.metadata), "prompt": facts.prompt},
            decisions=[_object(point) for point in answer.history.decision_points],
            usage=[_object(item) for item in answer.metrics.cost_breakdown.items],
        )
        if facts.has_ended:
            _remember(self._digests, session_id, execution.digest(), _DIGESTS)
            _remember(self._last, session_id, execution, _EXECUTIONS)
        return execution


def _remember(kept: OrderedDict[str, T], key: str, value: T, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)


def _object(message: Any) -> dict[str, Any]:
    """A message as the REST API shows it: documented fields always there, names as in the proto."""
    shown: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return shown
