"""A session's row and the entity, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Row

from services.session.domain import (
    OnLimit,
    OpenStage,
    PlannedStage,
    Price,
    Session,
    SessionType,
    Status,
)

# The columns that never change after the insert.
FIXED = frozenset(
    {
        "session_id",
        "owner",
        "session_type",
        "engine",
        "pausable",
        "prompt",
        "preferences",
        "metadata",
        "inputs",
        "budget_limit",
        "on_limit",
        "prices",
        "held",
        "time_limit",
        "created_at",
        "traceparent",
    }
)


def dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _loads_or_none(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


def session_of(row: Row[Any] | Mapping[str, Any]) -> Session:
    """Columns that a list leaves out (`inputs`, `results`) may be NULL."""
    r: Any = row
    open_stage = _loads_or_none(r.open_stage)
    return Session(
        session_id=r.session_id,
        owner=r.owner,
        session_type=SessionType(r.session_type),
        engine=r.engine,
        pausable=bool(r.pausable),
        prompt=r.prompt,
        preferences=orjson.loads(r.preferences),
        metadata=orjson.loads(r.metadata),
        inputs=orjson.loads(r.inputs),
        budget_limit=r.budget_limit,
        on_limit=OnLimit(r.on_limit),
        prices={item: Price(unit, price) for item, (unit, price) in orjson.loads(r.prices).items()},
        held=r.held,
        time_limit=r.time_limit,
        created_at=r.created_at,
        status=Status(r.status),
        status_since=r.status_since,
        updated_at=r.updated_at,
        version=r.version,
        epoch=r.epoch,
        attempts=r.attempts,
        failures=r.failures,
        worker_id=r.worker_id,
        lease_until=r.lease_until,
        grant_until=r.grant_until,
        beat_at=r.beat_at,
        progress=r.progress,
        current_stage=r.current_stage,
        stage_running=r.stage_running,
        plan=tuple(PlannedStage(stage, weight, done) for stage, weight, done in orjson.loads(r.plan)),
        open_stage=OpenStage(**open_stage) if open_stage else None,
        write_up=bool(r.write_up),
        charged=r.charged,
        released=r.released,
        usage=orjson.loads(r.usage),
        running=r.running,
        queued=r.queued,
        initializing=r.initializing,
        paused=r.paused,
        cpu=r.cpu,
        cpu_claim=r.cpu_claim,
        bytes_stored=r.bytes_stored,
        bytes_claim=r.bytes_claim,
        peak_memory=r.peak_memory,
        started_at=r.started_at,
        finished_at=r.finished_at,
        result_epoch=r.result_epoch,
        result_hash=r.result_hash,
        results=_loads_or_none(r.results),
        cited=tuple(orjson.loads(r.cited)),
        error=_loads_or_none(r.error),
        settled_at=r.settled_at,
        settle_after=r.settle_after,
        traceparent=r.traceparent,
        losses=r.losses,
        ours=None if r.ours is None else bool(r.ours),
        successor=r.successor,
    )


def fixed_values(s: Session) -> dict[str, Any]:
    """The columns of FIXED."""
    return {
        "session_id": s.session_id,
        "owner": s.owner,
        "session_type": s.session_type.value,
        "engine": s.engine,
        "pausable": int(s.pausable),
        "prompt": s.prompt,
        "preferences": dumps(s.preferences),
        "metadata": dumps(s.metadata),
        "inputs": dumps(s.inputs),
        "budget_limit": s.budget_limit,
        "on_limit": s.on_limit.value,
        "prices": dumps({item: [price.unit, price.unit_price] for item, price in s.prices.items()}),
        "held": s.held,
        "time_limit": s.time_limit,
        "created_at": s.created_at,
        "traceparent": s.traceparent,
    }


def state_values(s: Session) -> dict[str, Any]:
    """The columns that a change writes."""
    opened = s.open_stage
    return {
        "status": s.status.value,
        "status_since": s.status_since,
        "updated_at": s.updated_at,
        "version": s.version,
        "epoch": s.epoch,
        "attempts": s.attempts,
        "failures": s.failures,
        "worker_id": s.worker_id,
        "lease_until": s.lease_until,
        "grant_until": s.grant_until,
        "beat_at": s.beat_at,
        "progress": s.progress,
        "current_stage": s.current_stage,
        "stage_running": s.stage_running,
        "plan": dumps([[p.stage, p.weight, p.done] for p in s.plan]),
        "open_stage": None
        if opened is None
        else dumps(
            {"stage": opened.stage, "epoch": opened.epoch, "reserved": opened.reserved, "usage": dict(opened.usage)}
        ),
        "write_up": int(s.write_up),
        "charged": s.charged,
        "released": s.released,
        "usage": dumps(dict(s.usage)),
        "running": s.running,
        "queued": s.queued,
        "initializing": s.initializing,
        "paused": s.paused,
        "cpu": s.cpu,
        "cpu_claim": s.cpu_claim,
        "bytes_stored": s.bytes_stored,
        "bytes_claim": s.bytes_claim,
        "peak_memory": s.peak_memory,
        "started_at": s.started_at,
        "finished_at": s.finished_at,
        "result_epoch": s.result_epoch,
        "result_hash": s.result_hash,
        "results": None if s.results is None else dumps(s.results),
        "cited": dumps(list(s.cited)),
        "error": None if s.error is None else dumps(s.error),
        "settled_at": s.settled_at,
        "settle_after": s.settle_after,
        "losses": s.losses,
        "ours": None if s.ours is None else int(s.ours),
        "successor": s.successor,
    }
