"""A clock that was set back does not make a session start or end before it began."""

from __future__ import annotations

from kit.times import HOUR
from services.session import lifecycle, work
from tests.unit.session.build import FTNS, PLAN, POLICY, T0, queued

BACK = T0 - 2 * HOUR


def test_moments_that_are_shown_are_in_order() -> None:
    claimed = lifecycle.claim(queued(), "w1", BACK, POLICY).after
    running = work.start(claimed, PLAN, (), BACK, POLICY).after
    assert running.started_at == T0
    ended = lifecycle.cancel(running, "ada", "", FTNS, BACK - HOUR, POLICY).after
    assert (ended.started_at, ended.finished_at, ended.updated_at) == (T0, T0, T0)
