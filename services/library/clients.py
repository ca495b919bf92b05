"""Collab behind the port."""

from __future__ import annotations

from collections.abc import Sequence

from kit.access import Standing
from kit.auth.principal import Principal
from kit.levels import Level
from kit.rpc.client import Peer
from kit.rpc.sessions import principal_message, shared_of
from prsm.collab.v1 import access_pb2, access_pb2_grpc


class CollabViewers:
    """Behind `ports.Viewers`."""

    def __init__(self, stub: access_pb2_grpc.AccessServiceAsyncStub, peer: Peer, *, deadline: float) -> None:
        """`deadline` is in seconds."""
        self._stub = stub
        self._peer = peer
        self._deadline = deadline

    async def may_view_any(self, principal: Principal, session_ids: Sequence[str]) -> bool:
        who = principal_message(principal)
        checks = [access_pb2.CheckAccessRequest(session_id=each, principal=who) for each in session_ids]
        request = access_pb2.CheckAccessBulkRequest(checks=checks)
        answer = await self._peer.read(self._stub.CheckAccessBulk, request, timeout=self._deadline)
        shares = (shared_of(grant) for grant in answer.grants)
        return any(each.standing is Standing.CURRENT and each.level >= Level.VIEW for each in shares)
