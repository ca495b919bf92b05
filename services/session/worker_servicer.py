"""WorkerService: the side of the lifecycle that workers drive."""

from __future__ import annotations

from dataclasses import dataclass

from kit.rpc.call import Call
from prsm.session.v1 import worker_pb2
from services.session.convert import workers
from services.session.convert.sessions import results_of
from services.session.domain import Policy
from services.session.usecases.begin_stage import BeginStage
from services.session.usecases.checkpoint import Checkpoint
from services.session.usecases.claim_next import Asker, Claimed, ClaimNext
from services.session.usecases.complete import Complete
from services.session.usecases.fail import Fail
from services.session.usecases.heartbeat import Heartbeat
from services.session.usecases.release import Release
from services.session.usecases.start import Start
from services.session.work import SoFar, directive

_pb = worker_pb2


@dataclass(frozen=True, slots=True)
class WorkerCases:
    """One for each RPC."""

    claim: ClaimNext
    start: Start
    begin_stage: BeginStage
    heartbeat: Heartbeat
    checkpoint: Checkpoint
    complete: Complete
    fail: Fail
    release: Release


class WorkerServicer:
    def __init__(self, cases: WorkerCases, policy: Policy, heartbeat: int) -> None:
        """`heartbeat` in microseconds."""
        self._do = cases
        self._lease = policy.lease
        self._heartbeat = heartbeat

    async def ClaimNext(self, request: _pb.ClaimNextRequest, _call: Call) -> _pb.ClaimNextResponse:
        claimed = await self._do.claim(Asker(request.worker_id, list(request.engines), request.in_hand))
        if not isinstance(claimed, Claimed):
            return _pb.ClaimNextResponse(empty_first=claimed is not None)
        return workers.claim_message(claimed, lease=self._lease, heartbeat=self._heartbeat)

    async def Start(self, request: _pb.StartRequest, _call: Call) -> _pb.StartResponse:
        await self._do.start(workers.lease_of(request.lease), workers.plan_of(request.stages))
        return _pb.StartResponse()

    async def BeginStage(self, request: _pb.BeginStageRequest, _call: Call) -> _pb.BeginStageResponse:
        session = await self._do.begin_stage(workers.lease_of(request.lease), request.stage)
        return workers.begun_message(session)

    async def Heartbeat(self, request: _pb.HeartbeatRequest, _call: Call) -> _pb.HeartbeatResponse:
        answer = await self._do.heartbeat(workers.lease_of(request.lease), workers.beat_of(request))
        return _pb.HeartbeatResponse(
            directive=workers.DIRECTIVE[answer.directive], lease_us=self._lease, grant=answer.grant
        )

    async def Checkpoint(self, request: _pb.CheckpointRequest, _call: Call) -> _pb.CheckpointResponse:
        session = await self._do.checkpoint(
            workers.lease_of(request.lease),
            request.stage,
            request.hash,
            workers.usage_of(request.usage),
            workers.decisions_of(request.decisions),
            workers.resources_of(request),
            SoFar(request.result_hash, tuple(request.cited_document_ids)) if request.result_hash else None,
        )
        return _pb.CheckpointResponse(directive=workers.DIRECTIVE[directive(session)])

    async def Complete(self, request: _pb.CompleteRequest, _call: Call) -> _pb.CompleteResponse:
        await self._do.complete(
            workers.lease_of(request.lease),
            request.hash,
            results_of(request.results, workers.MOST_FINDINGS),
            list(request.cited_document_ids),
            workers.resources_of(request),
        )
        return _pb.CompleteResponse()

    async def Fail(self, request: _pb.FailRequest, _call: Call) -> _pb.FailResponse:
        requeued = await self._do.fail(
            workers.lease_of(request.lease),
            request.code,
            request.message,
            request.stage,
            retryable=request.retryable,
            ours=request.ours,
        )
        return _pb.FailResponse(requeued=requeued)

    async def Release(self, request: _pb.ReleaseRequest, _call: Call) -> _pb.ReleaseResponse:
        await self._do.release(workers.lease_of(request.lease), request.reason)
        return _pb.ReleaseResponse()
