"""Results behind a port; session is asked through `kit.rpc.sessions`."""

from __future__ import annotations

from kit.errors import PrsmError
from kit.rpc.client import Peer
from prsm.results.v1 import artifacts_pb2, artifacts_pb2_grpc

SESSION_READS = (("prsm.session.v1.SessionInternalService", "LookUpSession"),)
RESULTS_READS = (("prsm.results.v1.ArtifactService", "ListReferencePoints"),)
_NO_RESULTS = frozenset({"RESULTS_NOT_AVAILABLE", "SESSION_NOT_FOUND"})


class ResultsReferencePoints:
    """Asks results, with a deadline."""

    def __init__(self, stub: artifacts_pb2_grpc.ArtifactServiceAsyncStub, peer: Peer, *, deadline: float = 2.0) -> None:
        """`deadline` is in seconds."""
        self._stub = stub
        self._peer = peer
        self._deadline = deadline

    async def of(self, session_id: str) -> frozenset[str]:
        request = artifacts_pb2.ListReferencePointsRequest(session_id=session_id)
        try:
            answer = await self._peer.read(self._stub.ListReferencePoints, request, timeout=self._deadline)
        except PrsmError as error:
            if error.name in _NO_RESULTS:
                return frozenset()
            raise
        return frozenset(answer.reference_points)
