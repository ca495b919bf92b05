"""VoidHold: a hold is released whole, or refused for ever when it has not come yet."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.db.database import Database
from kit.errors import ValidationError
from services.billing.domain import Hold, HoldState, closing
from services.billing.errors import SettlementMismatch
from services.billing.ports import Ledger


class VoidHold:
    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def __call__(self, hold_id: str, owner: str) -> int:
        """What was released; the same for a repetition. Raises SettlementMismatch for a settled hold."""
        return await self._db.write(lambda conn: self._void(conn, hold_id, owner))

    def _void(self, conn: Connection, hold_id: str, owner: str) -> int:
        # The tombstone first: of it and a hold that comes at the same time, one wins by the key.
        if self._ledger.insert_hold(conn, Hold(hold_id, owner, 0, HoldState.VOID)):
            return 0
        voided = self._ledger.void_hold(conn, hold_id, owner)
        if voided is not None:
            if self._ledger.post(conn, owner, closing(hold_id, 0, voided.amount), open_holds=-1) is None:
                raise AssertionError(f"hold {hold_id} is not covered by its account")
            return voided.amount
        known = self._ledger.hold(conn, hold_id)
        assert known is not None
        if known.owner != owner:
            raise ValidationError.of("hold_id", "belongs to another owner")
        if known.state is HoldState.SETTLED:
            raise SettlementMismatch("The hold was settled")
        return known.released
