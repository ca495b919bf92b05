"""Settle: what was charged is captured and the rest released, once."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.db.database import Database
from services.billing.domain import HoldState, closing
from services.billing.errors import HoldVoided, SettlementMismatch
from services.billing.ports import Ledger


class Settle:
    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def __call__(self, hold_id: str, captured: int, released: int) -> None:
        """A repetition with the same figures changes nothing. Raises SettlementMismatch, HoldVoided."""
        await self._db.write(lambda conn: self.within(conn, hold_id, captured, released))

    def within(self, conn: Connection, hold_id: str, captured: int, released: int) -> None:
        """The same as part of a unit of work."""
        settled = self._ledger.settle_hold(conn, hold_id, captured, released)
        if settled is not None:
            movements = closing(hold_id, captured, released)
            if self._ledger.post(conn, settled.owner, movements, open_holds=-1) is None:
                raise AssertionError(f"hold {hold_id} is not covered by its account")
            return
        known = self._ledger.hold(conn, hold_id)
        if known is None:
            raise SettlementMismatch("There is no such hold")
        if known.state is HoldState.VOID:
            raise HoldVoided()
        if known.state is HoldState.OPEN:
            raise SettlementMismatch("What is captured and released must make up the hold")
        if (known.captured, known.released) != (captured, released):
            raise SettlementMismatch()
