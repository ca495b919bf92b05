"""Sessions for tests of the domain."""

from __future__ import annotations

from typing import Any

from kit.money import SCALE
from kit.times import MINUTE, SECOND
from services.session import lifecycle, work
from services.session.domain import (
    OnLimit,
    PlannedStage,
    Policy,
    Price,
    Session,
    SessionType,
    Status,
)

T0 = 1_767_225_600 * SECOND
POLICY = Policy(
    lease=15 * SECOND,
    beat=2 * SECOND,
    write_up_time=0.85,
    write_up_money=0.15,
    max_failures=3,
    settle_pause=2 * SECOND,
    init_limit=600 * SECOND,
)
PRICES = {"base": Price("session", SCALE), "document_read": Price("document", 20_000)}
PLAN = (PlannedStage("read", 1), PlannedStage("think", 2), PlannedStage("write", 1))
FTNS = "FTNS"


def queued(**changes: Any) -> Session:
    """A session that was just created; 10.00 is held."""
    fields: dict[str, Any] = {
        "session_id": "s1",
        "owner": "ada",
        "session_type": SessionType.RESEARCH,
        "engine": "research",
        "pausable": True,
        "prompt": "Why?",
        "preferences": {},
        "metadata": {},
        "inputs": {},
        "budget_limit": 10 * SCALE,
        "on_limit": OnLimit.FINISH,
        "prices": PRICES,
        "held": 10 * SCALE,
        "time_limit": 10 * MINUTE,
        "created_at": T0,
        "status": Status.QUEUED,
        "status_since": T0,
        "updated_at": T0,
        **changes,
    }
    return Session(**fields)


def claimed(now: int = T0, **changes: Any) -> Session:
    return lifecycle.claim(queued(**changes), "w1", now, POLICY).after


def running(now: int = T0, **changes: Any) -> Session:
    return work.start(claimed(now, **changes), PLAN, (), now, POLICY).after


def in_stage(stage: str = "read", now: int = T0, **changes: Any) -> Session:
    return work.begin_stage(running(now, **changes), stage, FTNS, now, POLICY).after


def beat(stage: str = "read", done: float = 0.0, **usage: int) -> work.Beat:
    """Usage in whole units."""
    quantities = {item: quantity * SCALE for item, quantity in usage.items()}
    return work.Beat(stage, done, quantities, work.Resources())
