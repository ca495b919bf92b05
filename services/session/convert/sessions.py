"""Sessions and what is said about them, as messages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import orjson
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from kit.money import show
from prsm.session.v1 import session_pb2
from services.session.accounting import added, total_usage
from services.session.convert.json_values import fill
from services.session.domain import TOKENS_IN, TOKENS_OUT, TOKENS_PER_UNIT, JsonObject, Session, Status
from services.session.ports import Estimate
from services.session.usecases.list_sessions import Listed
from services.session.usecases.stored_answer import Created
from services.session.views import SessionView

_pb = session_pb2
STATUS = {status: _pb.Session.Status.Value(status.value) for status in Status}
_STATUS = {status.value: number for status, number in STATUS.items()}
TYPE = {name: number for name, number in _pb.Session.Type.items() if number}
_MICRO = 1e6
_LARGEST_PAGE = 900 * 1024
_SHORT_PROMPT = 500
_NOTHING: Mapping[str, int] = {}
_PREFERENCES = ("depth", "engine", "citation_style", "language", "max_documents", "time_limit_minutes", "seed", "model")


def set_time(target: Timestamp, instant: int) -> None:
    """Whole milliseconds, which is all that answers show."""
    seconds, rest = divmod(instant, 1_000_000)
    target.seconds = seconds
    target.nanos = rest // 1000 * 1_000_000


def session_message(view: SessionView) -> session_pb2.Session:
    """The answer for one session; built by keyword, which the protobuf runtime does several times faster."""
    message = _pb.Session(
        session_id=view.session_id,
        status=_STATUS[view.status],
        progress=view.progress,
        current_stage=view.current_stage,
        session_type=TYPE[view.session_type],
        prompt=view.prompt,
        owner=view.owner,
        resource_usage=_usage_of_view(view),
        budget=_pb.Budget(limit=show(view.budget_limit), on_limit=view.on_limit),
        preferences=_preferences(view.preferences),
        metadata=_metadata(view.metadata),
        created_at=_time(view.created_at),
        updated_at=_time(view.updated_at),
        started_at=None if view.started_at is None else _time(view.started_at),
        finished_at=None if view.finished_at is None else _time(view.finished_at),
    )
    if view.inputs:
        fill_inputs(message.inputs, orjson.loads(view.inputs))
    if view.results is not None:
        fill_results(message.results, orjson.loads(view.results))
    if view.error is not None:
        message.error_details.CopyFrom(_pb.ErrorDetails(**orjson.loads(view.error)))
    return message


def _time(instant: int) -> Timestamp:
    seconds, rest = divmod(instant, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest // 1000 * 1_000_000)


@lru_cache(maxsize=2048)
def _metadata(text: str) -> Struct:
    """Lists show the same texts again and again, most of them empty; at most 16 KiB each."""
    struct = Struct()
    fill(struct, orjson.loads(text))
    return struct


@lru_cache(maxsize=2048)
def _preferences(text: str) -> session_pb2.Preferences:
    message = _pb.Preferences()
    fill_preferences(message, orjson.loads(text))
    return message


def _usage_of_view(view: SessionView) -> session_pb2.ResourceUsage:
    usage: Mapping[str, int] = orjson.loads(view.usage) if view.usage != "{}" else _NOTHING
    if view.open_stage is not None:
        usage = added(usage, orjson.loads(view.open_stage)["usage"])
    return usage_message(
        usage,
        worked=view.running + view.initializing,
        cpu=view.cpu + view.cpu_claim,
        peak_memory=view.peak_memory,
        stored=view.bytes_stored + view.bytes_claim,
    )


def usage_of(session: Session) -> session_pb2.ResourceUsage:
    return usage_message(
        total_usage(session),
        worked=session.running + session.initializing,
        cpu=session.cpu + session.cpu_claim,
        peak_memory=session.peak_memory,
        stored=session.bytes_stored + session.bytes_claim,
    )


def usage_message(
    usage: Mapping[str, int], *, worked: int, cpu: int, peak_memory: int, stored: int
) -> session_pb2.ResourceUsage:
    """Durations in microseconds, sizes in bytes."""
    return _pb.ResourceUsage(
        worker_seconds=worked / _MICRO,
        cpu_seconds=cpu / _MICRO,
        peak_memory_mb=peak_memory / _MICRO,
        documents_read=_count(usage.get("document_read", 0)),
        passages_read=_count(usage.get("passage_read", 0)),
        tokens_in=_count(usage.get(TOKENS_IN, 0) * TOKENS_PER_UNIT),
        tokens_out=_count(usage.get(TOKENS_OUT, 0) * TOKENS_PER_UNIT),
        bytes_stored=float(stored),
    )


def _count(quantity: int) -> int:
    return min(quantity // 1_000_000, 2**31 - 1)


def fill_preferences(target: session_pb2.Preferences, preferences: JsonObject) -> None:
    target.SetInParent()
    for name in _PREFERENCES:
        if name in preferences:
            setattr(target, name, preferences[name])
    target.connectors.extend(preferences.get("connectors", ()))
    if "analysis" in preferences:
        fill(target.analysis, preferences["analysis"])


def fill_inputs(target: session_pb2.Inputs, inputs: JsonObject) -> None:
    target.SetInParent()
    for document in inputs.get("documents", ()):
        target.documents.add(document_id=document["document_id"], title=document["title"])
    for dataset in inputs.get("datasets", ()):
        target.datasets.add(document_id=dataset["document_id"], name=dataset["name"])
    target.sessions.extend(inputs.get("sessions", ()))


def fill_results(target: session_pb2.CompactResults, results: JsonObject) -> None:
    target.SetInParent()
    target.title = results["title"]
    target.partial = results["partial"]
    target.summary = results["summary"]
    target.confidence_score = results["confidence_score"]
    for finding in results["key_findings"]:
        target.key_findings.add(**finding)


def results_of(message: session_pb2.CompactResults, most_findings: int) -> JsonObject:
    """The compact form as it is stored."""
    return {
        "title": message.title,
        "partial": message.partial,
        "summary": message.summary,
        "confidence_score": message.confidence_score,
        "key_findings": [
            {"id": f.id, "text": f.text, "citations": list(f.citations), "confidence": f.confidence}
            for f in message.key_findings[:most_findings]
        ],
    }


def estimate_message(estimate: Estimate) -> session_pb2.CostEstimate:
    message = _pb.CostEstimate(
        amount=show(estimate.amount),
        min=show(estimate.least),
        max=show(estimate.most),
        currency=estimate.currency,
    )
    for item in estimate.items:
        message.items.add(
            item=item.item,
            quantity=item.quantity / _MICRO,
            unit=item.unit,
            unit_price=show(item.unit_price),
            amount=show(item.amount),
        )
    return message


def created_message(created: Created) -> session_pb2.CreateSessionResponse:
    message = _pb.CreateSessionResponse(
        session_id=created.session_id,
        status=STATUS[created.status],
        estimated_duration=created.minutes,
        cost_estimate=estimate_message(created.estimate),
    )
    set_time(message.created_at, created.created_at)
    return message


def _fit(message: session_pb2.ListSessionsResponse) -> None:
    """Keep a page below what an edge takes as one answer: long prompts are cut, then large metadata left out.

    Only a page of many very long ones is touched; GetSession always has all of it.
    """
    if message.ByteSize() <= _LARGEST_PAGE:
        return
    for session in message.sessions:
        if len(session.prompt) > _SHORT_PROMPT:
            session.prompt = session.prompt[:_SHORT_PROMPT] + "…"
    excess = message.ByteSize() - _LARGEST_PAGE
    for session in sorted(message.sessions, key=lambda s: s.metadata.ByteSize(), reverse=True):
        if excess <= 0:
            return
        excess -= session.metadata.ByteSize()
        session.metadata.Clear()
        session.metadata.SetInParent()


def listed_message(listed: Listed, currency: str) -> session_pb2.ListSessionsResponse:
    summary = listed.summary
    message = _pb.ListSessionsResponse(
        sessions=[session_message(view) for view in listed.sessions],
        total_count=summary.total,
        page=listed.page.number,
        limit=listed.page.limit,
        summary=_pb.SessionSummary(
            by_status=summary.by_status,
            by_type=summary.by_type,
            held=show(summary.held),
            charged=show(summary.charged),
            currency=currency,
        ),
    )
    if listed.next_cursor is not None:
        message.next_cursor = listed.next_cursor
    _fit(message)
    return message


def paused_message(session: Session) -> session_pb2.PauseSessionResponse:
    message = _pb.PauseSessionResponse(
        session_id=session.session_id,
        status=STATUS[session.status],
        progress=session.progress,
        current_stage=session.current_stage,
    )
    set_time(message.updated_at, session.updated_at)
    return message


def resumed_message(session: Session) -> session_pb2.ResumeSessionResponse:
    message = _pb.ResumeSessionResponse(
        session_id=session.session_id,
        status=STATUS[session.status],
        progress=session.progress,
        current_stage=session.current_stage,
    )
    set_time(message.updated_at, session.updated_at)
    return message


def cancelled_message(session: Session) -> session_pb2.CancelSessionResponse:
    return _pb.CancelSessionResponse(
        session_id=session.session_id, status=STATUS[session.status], refund_amount=show(session.released)
    )
