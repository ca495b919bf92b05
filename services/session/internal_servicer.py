"""SessionInternalService: what the other services may ask."""

from __future__ import annotations

from kit.rpc.call import Call
from prsm.session.v1 import internal_pb2
from services.session.convert.analytics import execution_message, looked_up_message
from services.session.usecases.describe_execution import DescribeExecution
from services.session.usecases.look_up_session import LookUpSession

_pb = internal_pb2


class InternalServicer:
    def __init__(self, look_up: LookUpSession, describe: DescribeExecution, currency: str) -> None:
        self._look_up = look_up
        self._describe = describe
        self._currency = currency

    async def LookUpSession(self, request: _pb.LookUpSessionRequest, _call: Call) -> _pb.LookUpSessionResponse:
        return looked_up_message(await self._look_up(request.session_id))

    async def DescribeExecution(
        self, request: _pb.DescribeExecutionRequest, _call: Call
    ) -> _pb.DescribeExecutionResponse:
        return execution_message(await self._describe(request.session_id), self._currency)
