"""What operators see and do about sessions, over session's gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from cli.operator import ask
from cli.stack.datadir import DataDir
from kit.times import SECOND, Clock, rfc3339
from prsm.session.v1 import admin_pb2, admin_pb2_grpc

_pb = admin_pb2


async def failed(
    data: DataDir, clock: Clock, *, code: str, ours: bool | None, within: int | None, limit: int
) -> list[str]:
    """A line for each failed session, the last ended first; `within` in seconds. Raises Refused."""
    request = _pb.ListFailedSessionsRequest(code=code, limit=limit)
    if ours is not None:
        request.ours = ours
    if within is not None:
        request.since.CopyFrom(Timestamp(seconds=clock.now() // SECOND - within))
    answer = await _ask(data, "ListFailedSessions", request)
    lines = [_failed(session) for session in answer.sessions]
    return [*lines, f"{len(lines)} of {answer.total_count}"] if lines else ["no session failed or timed out"]


async def attention(data: DataDir) -> list[str]:
    """A line for each thing that a person has to look at. Raises Refused."""
    answer = await _ask(data, "GetAttention", _pb.GetAttentionRequest())
    return [*_attention(answer)] or ["nothing needs attention"]


async def requeue(data: DataDir, session_id: str) -> str:
    """The id of the successor. Raises Refused."""
    answer = await _ask(data, "RequeueSession", _pb.RequeueSessionRequest(session_id=session_id))
    return str(answer.session_id)


async def _ask(data: DataDir, method: str, request: Any) -> Any:
    return await ask(data, "session", admin_pb2_grpc.SessionAdminServiceStub, method, request)


def _failed(session: admin_pb2.FailedSession) -> str:
    fault = "" if not session.HasField("ours") else ", ours" if session.ours else ", not ours"
    after = f", requeued as {session.successor}" if session.successor else ""
    stage = f" in {session.stage}" if session.stage else ""
    return (
        f"{_time(session.finished_at)} {session.session_id} {session.owner} {session.engine} {session.code}{stage}"
        f" ({session.attempts} attempts{fault}{after}): {session.message}"
    )


def _attention(answer: admin_pb2.GetAttentionResponse) -> Iterator[str]:
    for failure in answer.failed:
        what = f"failed by the platform within a day, not requeued: {failure.count} {failure.code}"
        yield f"{what}: see prsm sessions failed --ours"
    for queue in answer.queues:
        hint = "" if queue.in_hand else ", none in hand: does a worker offer it?"
        yield f"queue of {queue.engine}: {queue.queued}, the first since {_time(queue.since)}{hint}"
    for what, waiting in (
        ("ended and not settled", answer.unsettled),
        ("creations neither finished nor given up", answer.creations),
        ("paused for over a week", answer.paused),
    ):
        if waiting.count:
            ids = " ".join(waiting.session_ids)
            yield f"{what}: {waiting.count}, the first since {_time(waiting.since)}: {ids}"


def _time(moment: Timestamp) -> str:
    return rfc3339(moment.seconds * SECOND)
