"""Metrics and history as messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from kit.money import show
from kit.times import rfc3339
from prsm.session.v1 import internal_pb2, session_pb2
from services.session.convert.json_values import fill
from services.session.convert.sessions import STATUS, TYPE, set_time, usage_of
from services.session.domain import SYSTEM, HistoryRow, JsonObject, Kind, Session
from services.session.usecases.describe_execution import Execution
from services.session.usecases.get_session_metrics import Metrics
from services.session.usecases.watch_session import KeepAlive, Progress

_pb = session_pb2
_MICRO = 1e6


def metrics_message(metrics: Metrics, currency: str) -> session_pb2.GetSessionMetricsResponse:
    session = metrics.session
    message = _pb.GetSessionMetricsResponse(
        session_id=session.session_id,
        execution_time=-(-session.running // 1_000_000),  # Whole seconds, rounded up: work done is never 0.
        resource_usage=usage_of(session),
        efficiency_score=metrics.efficiency,
        performance_metrics=_pb.PerformanceMetrics(
            queue_seconds=metrics.queued / _MICRO,
            initializing_seconds=metrics.initializing / _MICRO,
            paused_seconds=metrics.paused / _MICRO,
            stage_seconds={stage: running / _MICRO for stage, running in metrics.stage_running.items()},
            documents_per_second=metrics.documents_per_second,
            attempts=session.attempts,
        ),
    )
    cost = message.cost_breakdown
    cost.currency = currency
    cost.held = show(session.held)
    cost.charged = show(session.charged)
    cost.released = show(session.released)
    for charge in metrics.charges:
        cost.items.add(
            item=charge.item,
            stage=charge.stage,
            quantity=charge.quantity / _MICRO,
            unit=charge.unit,
            unit_price=show(charge.unit_price),
            amount=show(charge.amount),
        )
    return message


def history_message(session_id: str, rows: Sequence[HistoryRow]) -> session_pb2.GetSessionHistoryResponse:
    message = _pb.GetSessionHistoryResponse(session_id=session_id)
    for row in rows:
        event = message.timeline.add(seq=row.seq, type=row.entry.type, actor=row.entry.actor)
        set_time(event.at, row.at)
        fill(event.detail, _shown(row))
        _VIEWS.get(row.entry.kind, _nothing)(message, row)
    return message


def _shown(row: HistoryRow) -> JsonObject:
    """The timeline tells of a decision; what it excluded stands in `decision_points`."""
    detail = row.entry.detail
    if row.entry.kind is not Kind.DECISION:
        return detail
    return {**detail, "excluded": len(detail["excluded"]) + detail.get("excluded_unlisted", 0)}


def _nothing(_message: session_pb2.GetSessionHistoryResponse, _row: HistoryRow) -> None:
    """A plain event is in the timeline alone."""


def _stage(message: session_pb2.GetSessionHistoryResponse, row: HistoryRow) -> None:
    detail = row.entry.detail
    # `from` is a keyword of Python, but a field of the page.
    fields: dict[str, Any] = {"from": detail["from"], "to": detail["to"]}
    moved = message.stage_transitions.add(seq=row.seq, seconds=detail["seconds"], **fields)
    set_time(moved.at, row.at)


def _allocation(message: session_pb2.GetSessionHistoryResponse, row: HistoryRow) -> None:
    detail = row.entry.detail
    allocated = message.resource_allocations.add(
        seq=row.seq, kind=_pb.ResourceAllocation.Kind.Value(detail["kind"]), unit=detail["unit"]
    )
    if "amount" in detail:
        allocated.amount = detail["amount"]
    set_time(allocated.at, row.at)
    fill(allocated.detail, detail["detail"])


def _decision(message: session_pb2.GetSessionHistoryResponse, row: HistoryRow) -> None:
    detail = row.entry.detail
    decided = message.decision_points.add(
        seq=row.seq,
        stage=detail["stage"],
        decision=detail["decision"],
        reason=detail["reason"],
        alternatives=detail["alternatives"],
    )
    set_time(decided.at, row.at)
    for excluded in detail["excluded"]:
        fill(decided.excluded.add(), excluded)


_VIEWS = {Kind.STAGE: _stage, Kind.ALLOCATION: _allocation, Kind.DECISION: _decision}


def watched_message(row: HistoryRow) -> session_pb2.WatchSessionResponse:
    message = _pb.WatchSessionResponse(
        seq=row.seq,
        type=row.entry.type,
        actor=row.entry.actor,
        status=STATUS[row.status],
        progress=row.progress,
        current_stage=row.stage,
    )
    set_time(message.at, row.at)
    fill(message.detail, row.entry.detail)
    return message


def progress_message(progress: Progress) -> session_pb2.WatchSessionResponse:
    glance = progress.glance
    message = _pb.WatchSessionResponse(
        type="progress",
        actor=SYSTEM,
        status=STATUS[glance.status],
        progress=glance.progress,
        current_stage=glance.stage,
    )
    set_time(message.at, glance.updated_at)
    message.detail.SetInParent()
    return message


def frame_of(item: HistoryRow | Progress | KeepAlive) -> bytes:
    """A Server-Sent Event. A history row's id resumes the stream; progress is no part of the history and has none."""
    if isinstance(item, HistoryRow):
        return _event_frame(item)
    if isinstance(item, Progress):
        glance = item.glance
        data = {"status": glance.status.value, "progress": glance.progress, "current_stage": glance.stage}
        return b"event: progress\ndata: %s\n\n" % orjson.dumps(data)
    return b": keep-alive\nretry: 2000\n\n"


def _event_frame(row: HistoryRow) -> bytes:
    data = {
        "seq": row.seq,
        "at": rfc3339(row.at),
        "type": row.entry.type,
        "actor": row.entry.actor,
        "status": row.status.value,
        "progress": row.progress,
        "current_stage": row.stage,
        "detail": row.entry.detail,
    }
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.seq, row.entry.type.encode(), orjson.dumps(data))


def error_frame(body: JsonObject) -> bytes:
    return b"event: error\ndata: %s\n\n" % orjson.dumps(body)


def execution_message(execution: Execution, currency: str) -> internal_pb2.DescribeExecutionResponse:
    metrics = execution.metrics
    session = metrics.session
    measured = metrics_message(metrics, currency)
    message = internal_pb2.DescribeExecutionResponse(
        history=history_message(session.session_id, execution.history), metrics=measured
    )
    fill(message.metadata, _execution_metadata(session, measured))
    return message


def _execution_metadata(session: Session, measured: session_pb2.GetSessionMetricsResponse) -> JsonObject:
    usage, cost = measured.resource_usage, measured.cost_breakdown
    return {
        "session_id": session.session_id,
        "session_type": session.session_type.value,
        "engine": session.engine,
        "attempts": session.attempts,
        "created_at": rfc3339(session.created_at),
        "started_at": None if session.started_at is None else rfc3339(session.started_at),
        "finished_at": None if session.finished_at is None else rfc3339(session.finished_at),
        "execution_time": measured.execution_time,
        "efficiency_score": measured.efficiency_score,
        "resource_usage": {field.name: getattr(usage, field.name) for field in usage.DESCRIPTOR.fields},
        "cost": {"currency": cost.currency, "held": cost.held, "charged": cost.charged, "released": cost.released},
        "stages": [
            {"stage": planned.stage, "seconds": measured.performance_metrics.stage_seconds.get(planned.stage, 0.0)}
            for planned in session.plan
        ],
    }


def looked_up_message(session: Session | None) -> internal_pb2.LookUpSessionResponse:
    if session is None:
        return internal_pb2.LookUpSessionResponse()
    message = internal_pb2.LookUpSessionResponse(
        found=True,
        owner=session.owner,
        status=STATUS[session.status],
        session_type=TYPE[session.session_type.value],
        prompt=session.prompt,
        result_epoch=session.result_epoch if session.readable else 0,
        result_hash=session.result_hash if session.readable else "",
        stages=[planned.stage for planned in session.plan],
        citation_style=str(session.preferences.get("citation_style", "")),
        language=str(session.preferences.get("language", "")),
        progress=session.progress,
    )
    set_time(message.created_at, session.created_at)
    return message
