"""Ends that billing has not heard of are told again."""

from __future__ import annotations

import asyncio

from services.session.observation import Watch
from services.session.ports import Overdue
from services.session.usecases.settle_session import SettleSession
from services.session.usecases.unit import SessionUnit

_LOOKED_AT = 1000
_BATCH = 100


class SettleEnded:
    """Call it again and again."""

    def __init__(
        self, unit: SessionUnit, overdue: Overdue, settle: SettleSession, *, longest_step: int, patience: int
    ) -> None:
        """`patience` is the furthest ahead that an end's moment is ever set: one that lies further ahead comes from a
        clock that was set back since, and an end that was seen waiting for so long is told in any case. It and
        `longest_step`, the most that counts between two calls, are in microseconds."""
        self._unit = unit
        self._overdue = overdue
        self._settle = settle
        self._patience = patience
        self._waiting = Watch(longest_step)

    async def __call__(self) -> int:
        """How many billing has acknowledged."""
        unit = self._unit
        ends = await unit.db.read(lambda db: self._overdue.unsettled(db, _LOOKED_AT))
        waiting = self._waiting.look(unit.clock.monotonic(), {end.session_id: end.settle_after for end in ends})
        now = unit.clock.now()
        due = [
            end.session_id
            for end in ends
            if not now < end.settle_after <= now + self._patience or waiting[end.session_id] >= self._patience
        ][:_BATCH]
        if not due:
            return 0
        sessions = await unit.db.read(lambda db: self._overdue.settlements(db, due))
        # All at once, so that a billing that is away costs one deadline.
        return sum(await asyncio.gather(*(self._settle(session) for session in sessions)))
