"""The settlement in a session's terminal event, applied once through the inbox."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from kit.db.database import Database
from kit.db.inbox import Inbox
from services.billing import metrics
from services.billing.errors import HoldVoided, SettlementMismatch
from services.billing.usecases.settle import Settle

log = structlog.get_logger("settlement")
SOURCE = "session"


@dataclass(frozen=True, slots=True)
class SessionSettled:
    """What the event says. Amounts are in 10^-6 of the currency."""

    session_id: str
    version: int
    hold_id: str
    captured: int
    released: int


class ApplySettlement:
    def __init__(self, db: Database, inbox: Inbox, settle: Settle) -> None:
        self._db = db
        self._inbox = inbox
        self._settle = settle

    async def __call__(self, event: SessionSettled) -> None:
        """Settles what was not settled inline. A settlement that cannot be is logged as an alarm: no delivery of the
        same event could ever mend it."""

        def apply(conn: Connection) -> None:
            if self._inbox.advance(conn, SOURCE, event.session_id, event.version):
                self._settle.within(conn, event.hold_id, event.captured, event.released)

        try:
            await self._db.write(apply)
        except (SettlementMismatch, HoldVoided) as error:
            metrics.REFUSED.inc()
            log.error(
                "settlement refused",
                session_id=event.session_id,
                hold_id=event.hold_id,
                captured=event.captured,
                released=event.released,
                reason=error.name,
                cause=error.message,
            )
