"""PlaceHold: balance and quota are checked and money is set aside, in one transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.db.database import Database
from kit.errors import ValidationError
from services.billing.domain import (
    Estimate,
    Hold,
    HoldState,
    Kind,
    Movement,
    Workload,
    amount_to_hold,
    check_limit,
)
from services.billing.errors import HoldVoided, InsufficientBalance, SessionQuotaExceeded
from services.billing.ports import Ledger, Pricing


class PlaceHold:
    def __init__(self, db: Database, ledger: Ledger, pricing: Pricing, *, quota: int, currency: str) -> None:
        """`quota` is how many holds one owner may have open."""
        self._db = db
        self._ledger = ledger
        self._pricing = pricing
        self._quota = quota
        self._currency = currency

    async def __call__(self, hold_id: str, owner: str, workload: Workload, limit: int | None) -> tuple[Estimate, int]:
        """The estimate and what is held; for a hold that was placed before, those of that time.

        Raises InsufficientBalance, SessionQuotaExceeded, HoldVoided, ValidationError.
        """
        estimate = self._pricing.estimate(workload)
        amount = amount_to_hold(estimate, limit)
        wanted = Hold(hold_id, owner, amount, HoldState.OPEN, estimate=estimate)

        def place(conn: Connection) -> tuple[Estimate, int]:
            if not self._ledger.insert_hold(conn, wanted):
                return self._first_answer(conn, wanted)
            # A refusal below undoes the row.
            check_limit(estimate, limit)
            if self._set_aside(conn, wanted):
                return estimate, amount
            # Perhaps the owner was never seen before, or for the first time just now by another call.
            self._ledger.open_account(conn, owner)
            if self._set_aside(conn, wanted):
                return estimate, amount
            raise self._refusal(conn, owner, amount)

        return await self._db.write(place)

    def _set_aside(self, conn: Connection, hold: Hold) -> bool:
        movement = Movement(Kind.HOLD, hold.amount, "Held for a session", hold.hold_id)
        return self._ledger.post(conn, hold.owner, [movement], open_holds=1, quota=self._quota) is not None

    def _first_answer(self, conn: Connection, wanted: Hold) -> tuple[Estimate, int]:
        known = self._ledger.hold(conn, wanted.hold_id)
        assert known is not None
        if known.owner != wanted.owner:
            raise ValidationError.of("hold_id", "belongs to another owner")
        if known.state is HoldState.VOID or known.estimate is None:
            raise HoldVoided()
        return known.estimate, known.amount

    def _refusal(self, conn: Connection, owner: str, amount: int) -> InsufficientBalance | SessionQuotaExceeded:
        account = self._ledger.account(conn, owner)
        assert account is not None
        if account.open_holds >= self._quota:
            return SessionQuotaExceeded(limit=self._quota, used=account.open_holds)
        return InsufficientBalance(required=amount, available=account.available, currency=self._currency)
