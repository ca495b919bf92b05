"""CancelSession: end the session and settle its money before answering."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.levels import Level
from services.session import lifecycle
from services.session.domain import Session
from services.session.usecases.settle_session import SettleSession
from services.session.usecases.unit import Record, SessionUnit, no_record


class CancelSession:
    def __init__(self, unit: SessionUnit, settle: SettleSession) -> None:
        self._unit = unit
        self._settle = settle

    async def __call__(self, principal: Principal, session_id: str, reason: str, record: Record = no_record) -> Session:
        """Raises SessionNotFound, SessionNotAccessible, SessionCannotBeCancelled.

        The cancellation stands when billing is away: the refund is then told from the settlement on record.
        """
        unit = self._unit
        await unit.open(principal, session_id, Level.COLLABORATE)
        now = unit.clock.now()
        session = await unit.change(
            session_id,
            lambda _, session: lifecycle.cancel(session, principal.user_id, reason, unit.currency, now, unit.policy),
            record,
        )
        await self._settle(session)
        return session
