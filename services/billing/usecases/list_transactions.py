"""ListTransactions: a user's ledger, newest first."""

from __future__ import annotations

from kit.db.database import Database
from kit.ids import is_uuid
from kit.paging import Page
from services.billing.domain import Transaction
from services.billing.ports import Ledger
from services.billing.usecases.get_balance import GetBalance


class ListTransactions:
    def __init__(self, db: Database, ledger: Ledger, balance: GetBalance) -> None:
        self._db = db
        self._ledger = ledger
        self._balance = balance

    async def __call__(self, user_id: str, page: Page, session_id: str) -> tuple[list[Transaction], int]:
        """The page and how many transactions there are in all; an empty `session_id` is any."""
        await self._balance(user_id)
        if session_id and not is_uuid(session_id):
            return [], 0
        return await self._db.read(lambda conn: self._ledger.transactions(conn, user_id, page, session_id))
