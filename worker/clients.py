"""The session and results services behind the worker's ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict

from kit.auth.grants import METADATA_KEY
from kit.errors import RemoteError
from kit.rpc.client import Peer
from prsm.results.v1 import artifacts_pb2, artifacts_pb2_grpc
from prsm.session.v1 import session_pb2, worker_pb2, worker_pb2_grpc
from worker.engines.base import JSON, Job, StageSpec
from worker.errors import LeaseLost
from worker.model import (
    Beat,
    BeatAnswer,
    Begun,
    Claim,
    Decision,
    Directive,
    EmptyFirst,
    Failure,
    Finished,
    Lease,
    Outcome,
    Resources,
    StoredStage,
)
from worker.patience import insist
from worker.quantities import in_micros

_CALL = 5.0
_BEAT = 1.5
"""Beside the second between heartbeats, a pause must take effect within two also when one of them hangs."""
_TRANSFER = 60.0
_CHUNK = 256 * 1024
_MICRO = 1_000_000
_MOST_EXCLUDED = 500
"""Entries of one decision that travel; every message stays under 1 MiB."""
_DIRECTIVES: Mapping[int, Directive] = {
    worker_pb2.DIRECTIVE_PAUSE: Directive.PAUSE,
    worker_pb2.DIRECTIVE_CANCEL: Directive.CANCEL,
    worker_pb2.DIRECTIVE_WRITE_UP: Directive.WRITE_UP,
}


class SessionClient:
    """Sessions over gRPC."""

    def __init__(self, channel: grpc.aio.Channel, peer: Peer) -> None:
        self._stub = worker_pb2_grpc.WorkerServiceStub(channel)
        self._peer = peer

    async def claim_next(self, worker_id: str, engines: Sequence[str], in_hand: int) -> Claim | EmptyFirst | None:
        request = worker_pb2.ClaimNextRequest(worker_id=worker_id, engines=engines, in_hand=in_hand)
        answer = await self._peer.call(self._stub.ClaimNext, request, timeout=_CALL)
        if answer.HasField("claim"):
            return _claim(answer.claim)
        return EmptyFirst() if answer.empty_first else None

    async def start(self, lease: Lease, stages: Sequence[StageSpec]) -> None:
        plan = [worker_pb2.StagePlan(stage=spec.name, weight=spec.weight) for spec in stages]
        await self._held(self._stub.Start, worker_pb2.StartRequest(lease=_lease(lease), stages=plan))

    async def begin_stage(self, lease: Lease, stage: str) -> Begun:
        request = worker_pb2.BeginStageRequest(lease=_lease(lease), stage=stage)
        answer = await self._held(self._stub.BeginStage, request)
        prices = {price.item: price.unit_price_micros for price in answer.prices}
        return Begun(_directive(answer.directive), answer.available_micros, prices)

    async def heartbeat(self, beat: Beat) -> BeatAnswer:
        request = worker_pb2.HeartbeatRequest(
            lease=_lease(beat.lease),
            stage=beat.stage,
            stage_done=beat.done,
            usage=_usage(beat.usage),
            **_resources(beat.resources),
        )
        answer = await self._held(self._stub.Heartbeat, request, timeout=_BEAT)
        return BeatAnswer(_directive(answer.directive), answer.lease_us / _MICRO, answer.grant)

    async def checkpoint(self, finished: Finished) -> Directive:
        request = worker_pb2.CheckpointRequest(
            lease=_lease(finished.lease),
            stage=finished.stage,
            hash=finished.hash,
            usage=_usage(finished.usage),
            decisions=[_decision(decision) for decision in finished.decisions],
            result_hash=finished.result,
            cited_document_ids=finished.cited,
            **_resources(finished.resources),
        )
        return _directive((await self._held(self._stub.Checkpoint, request)).directive)

    async def complete(self, lease: Lease, outcome: Outcome) -> None:
        request = worker_pb2.CompleteRequest(
            lease=_lease(lease),
            hash=outcome.hash,
            results=ParseDict(dict(outcome.compact), session_pb2.CompactResults()),
            cited_document_ids=outcome.cited,
            **_resources(outcome.resources),
        )
        await self._held(self._stub.Complete, request)

    async def fail(self, lease: Lease, failure: Failure) -> bool:
        request = worker_pb2.FailRequest(
            lease=_lease(lease),
            code=failure.code,
            message=failure.message,
            stage=failure.stage,
            retryable=failure.retryable,
            ours=failure.ours,
        )
        return bool((await self._held(self._stub.Fail, request)).requeued)

    async def release(self, lease: Lease, reason: str) -> None:
        await self._held(self._stub.Release, worker_pb2.ReleaseRequest(lease=_lease(lease), reason=reason))

    async def _held(self, method: Any, request: Any, *, timeout: float = _CALL) -> Any:
        try:
            return await self._peer.call(method, request, timeout=timeout)
        except RemoteError as error:
            if error.name == "STALE_EPOCH":
                raise LeaseLost(request.lease.session_id) from error
            raise


class ArtifactClient:
    """Artifacts over gRPC. A results service that is away is waited for, up to `patience` seconds."""

    def __init__(self, channel: grpc.aio.Channel, peer: Peer, *, patience: float) -> None:
        self._stub = artifacts_pb2_grpc.ArtifactServiceStub(channel)
        self._peer = peer
        self._patience = patience

    async def put(self, grant: str, content: bytes, *, result: bool) -> str:
        kinds = artifacts_pb2.PutArtifactRequest
        kind = kinds.KIND_RESULT if result else kinds.KIND_CHECKPOINT

        def pieces() -> Iterator[artifacts_pb2.PutArtifactRequest]:
            yield artifacts_pb2.PutArtifactRequest(kind=kind, chunk=content[:_CHUNK])
            for start in range(_CHUNK, len(content), _CHUNK):
                yield artifacts_pb2.PutArtifactRequest(chunk=content[start : start + _CHUNK])

        async def send() -> str:
            extra = ((METADATA_KEY, grant),)
            answer = await self._peer.call(self._stub.PutArtifact, pieces(), timeout=_TRANSFER, extra=extra)
            return str(answer.hash)

        return await insist(send, seconds=self._patience)

    async def get(self, grant: str, epoch: int, digest: str) -> bytes:
        request = artifacts_pb2.GetArtifactRequest(epoch=epoch, hash=digest)

        async def fetch() -> bytes:
            extra = ((METADATA_KEY, grant),)
            parts = self._peer.stream(self._stub.GetArtifact, request, timeout=_TRANSFER, extra=extra)
            return await joined(parts)

        return await insist(fetch, seconds=self._patience)


async def joined(parts: AsyncIterator[Any]) -> bytes:
    """The chunks of a stream as one."""
    return b"".join([part.chunk async for part in parts])


def _lease(lease: Lease) -> worker_pb2.Lease:
    return worker_pb2.Lease(session_id=lease.session_id, epoch=lease.epoch, worker_id=lease.worker_id)


def _usage(usage: Mapping[str, int]) -> list[worker_pb2.UsageItem]:
    return [worker_pb2.UsageItem(item=item, quantity_micros=in_micros(item, n)) for item, n in sorted(usage.items())]


def _resources(resources: Resources) -> dict[str, Any]:
    return {
        "cpu_seconds": resources.cpu_seconds,
        "peak_memory_mb": resources.peak_memory_mb,
        "bytes_stored": float(resources.bytes_stored),
    }


def _decision(decision: Decision) -> worker_pb2.Decision:
    entries: list[Mapping[str, JSON]] = list(decision.excluded[:_MOST_EXCLUDED])
    if omitted := len(decision.excluded) - len(entries):
        entries.append({"omitted": omitted})
    message = worker_pb2.Decision(
        decision=decision.decision, reason=decision.reason, alternatives=decision.alternatives
    )
    for entry in entries:
        ParseDict(dict(entry), message.excluded.add())
    return message


def _directive(value: int) -> Directive:
    return _DIRECTIVES.get(value, Directive.GO_ON)


def _claim(message: worker_pb2.Claim) -> Claim:
    inputs = message.inputs
    job = Job(
        session_id=message.lease.session_id,
        session_type=message.session_type,
        prompt=message.prompt,
        documents=tuple(document.document_id for document in inputs.documents),
        datasets=tuple(dataset.document_id for dataset in inputs.datasets),
        sessions=tuple(inputs.sessions),
        preferences=MessageToDict(message.preferences, preserving_proto_field_name=True),
    )
    return Claim(
        lease=Lease(message.lease.session_id, message.lease.epoch, message.lease.worker_id),
        lease_seconds=message.lease_us / _MICRO,
        heartbeat_seconds=message.heartbeat_us / _MICRO,
        engine=message.engine,
        job=job,
        stages=tuple(StoredStage(stored.stage, stored.epoch, stored.hash) for stored in message.stages),
        grant=message.grant,
        write_up=message.write_up,
        traceparent=message.traceparent,
        alone=message.alone,
    )
