"""SessionAdminService: what operators see and do."""

from __future__ import annotations

from kit.rpc.call import Call
from prsm.session.v1 import admin_pb2
from services.session.convert import admin
from services.session.usecases.get_attention import GetAttention
from services.session.usecases.list_failed_sessions import ListFailedSessions
from services.session.usecases.requeue_session import RequeueSession

_pb = admin_pb2


class SessionAdminServicer:
    def __init__(self, failed: ListFailedSessions, attention: GetAttention, requeue: RequeueSession) -> None:
        self._failed = failed
        self._attention = attention
        self._requeue = requeue

    async def ListFailedSessions(
        self, request: _pb.ListFailedSessionsRequest, _call: Call
    ) -> _pb.ListFailedSessionsResponse:
        query, page = admin.query_of(request)
        rows, total = await self._failed(query, page)
        return admin.failed_message(rows, total, page)

    async def GetAttention(self, _request: _pb.GetAttentionRequest, _call: Call) -> _pb.GetAttentionResponse:
        return admin.attention_message(await self._attention())

    async def RequeueSession(self, request: _pb.RequeueSessionRequest, call: Call) -> _pb.RequeueSessionResponse:
        return _pb.RequeueSessionResponse(session_id=await self._requeue(call.principal, request.session_id))
