"""Telling billing how an ended session was settled, until it acknowledges."""

from __future__ import annotations

import structlog

from kit.errors import PrsmError
from kit.times import MINUTE
from services.session import metrics
from services.session.domain import Session
from services.session.ports import Billing
from services.session.usecases.unit import SessionUnit

ALARM_PAUSE = 5 * MINUTE
"""How long a settlement that billing disputes waits until it is told again."""
log = structlog.get_logger("settlement")


class SettleSession:
    """The settlement was committed with the end of the session and never changes, so it may be told again."""

    def __init__(self, unit: SessionUnit, billing: Billing) -> None:
        self._unit = unit
        self._billing = billing

    async def __call__(self, session: Session) -> bool:
        """Whether billing has it; if not, the sweeper tells it again."""
        unit = self._unit
        settlement = session.settlement
        try:
            await self._billing.settle(session.session_id, settlement.captured, settlement.released)
            now = unit.clock.now()
            await unit.db.write(lambda db: unit.sessions.settled(db, session.session_id, now))
        except PrsmError as error:
            # Other figures on record would be a fault of ours that somebody has to look at.
            alarm = error.name in ("SETTLEMENT_MISMATCH", "HOLD_VOIDED")
            report = log.error if alarm else log.warning
            report("not settled", session_id=session.session_id, reason=error.name)
            metrics.SETTLEMENTS.labels("refused" if alarm else "postponed").inc()
            await self._again_later(session, ALARM_PAUSE if alarm else unit.policy.settle_pause)
            return False
        metrics.SETTLEMENTS.labels("done").inc()
        return True

    async def _again_later(self, session: Session, pause: int) -> None:
        unit = self._unit
        after = unit.clock.now() + pause
        try:
            await unit.db.write(lambda db: unit.sessions.settle_later(db, session.session_id, after))
        except PrsmError:
            pass  # The moment on record has come or will: the sweeper finds it all the same.
