"""Messages between workers and session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prsm.session.v1 import session_pb2, worker_pb2
from services.session.accounting import available
from services.session.convert.json_values import object_of
from services.session.convert.sessions import fill_inputs, fill_preferences
from services.session.decisions import Decision
from services.session.domain import PlannedStage, Session
from services.session.usecases.claim_next import Claimed
from services.session.work import Beat, Directive, Lease, Resources, directive

_pb = worker_pb2
DIRECTIVE = {
    Directive.GO_ON: _pb.DIRECTIVE_GO_ON,
    Directive.PAUSE: _pb.DIRECTIVE_PAUSE,
    Directive.CANCEL: _pb.DIRECTIVE_CANCEL,
    Directive.WRITE_UP: _pb.DIRECTIVE_WRITE_UP,
}
MOST_FINDINGS = 10
_MICRO = 1e6
_LARGEST = 2**62


def lease_of(message: worker_pb2.Lease) -> Lease:
    return Lease(message.session_id, message.epoch, message.worker_id)


def usage_of(items: Iterable[worker_pb2.UsageItem]) -> dict[str, int]:
    return {item.item: item.quantity_micros for item in items}


def resources_of(request: Any) -> Resources:
    """Of any request that carries cpu_seconds, peak_memory_mb and bytes_stored."""
    return Resources(
        cpu=_whole(request.cpu_seconds * _MICRO),
        peak_memory=_whole(request.peak_memory_mb * _MICRO),
        bytes_stored=_whole(request.bytes_stored),
    )


def _whole(value: float) -> int:
    # Written so that what is no number counts as nothing.
    return int(min(value, _LARGEST)) if value > 0 else 0


def beat_of(request: worker_pb2.HeartbeatRequest) -> Beat:
    return Beat(request.stage, request.stage_done, usage_of(request.usage), resources_of(request))


def plan_of(stages: Iterable[worker_pb2.StagePlan]) -> list[PlannedStage]:
    """A weight that is not above 0 counts as 1."""
    return [PlannedStage(s.stage, s.weight if 0 < s.weight < 1e9 else 1.0) for s in stages]


def decisions_of(messages: Iterable[worker_pb2.Decision]) -> list[Decision]:
    return [
        Decision(d.decision, d.reason, list(d.alternatives), [object_of(excluded) for excluded in d.excluded])
        for d in messages
    ]


def begun_message(session: Session) -> worker_pb2.BeginStageResponse:
    """Of a session whose stage has just begun."""
    return _pb.BeginStageResponse(
        reserved_micros=session.open_stage.reserved if session.open_stage is not None else 0,
        directive=DIRECTIVE[directive(session)],
        available_micros=available(session),
        prices=[
            _pb.UnitPrice(item=item, unit=price.unit, unit_price_micros=price.unit_price)
            for item, price in session.prices.items()
        ],
    )


def claim_message(claimed: Claimed, *, lease: int, heartbeat: int) -> worker_pb2.ClaimNextResponse:
    """`lease` and `heartbeat` in microseconds."""
    session = claimed.session
    claim = _pb.Claim(
        lease=_pb.Lease(session_id=session.session_id, epoch=session.epoch, worker_id=session.worker_id),
        lease_us=lease,
        heartbeat_us=heartbeat,
        engine=session.engine,
        session_type=session.session_type.value,
        owner=session.owner,
        prompt=session.prompt,
        attempt=session.attempts,
        stages=[_pb.StoredStage(stage=s.stage, epoch=s.epoch, hash=s.hash) for s in claimed.stages],
        grant=claimed.grant,
        write_up=session.write_up,
        traceparent=session.traceparent,
        alone=claimed.alone,
    )
    preferences: session_pb2.Preferences = claim.preferences
    fill_preferences(preferences, session.preferences)
    fill_inputs(claim.inputs, session.inputs)
    return _pb.ClaimNextResponse(claim=claim)
