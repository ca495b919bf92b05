"""GetBalance: what a user can spend, and what is held."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.db.database import Database
from services.billing.domain import Account
from services.billing.ports import Ledger


class GetBalance:
    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def __call__(self, user_id: str) -> Account:
        """A user who was never seen has an account from now on, with the initial grant."""
        known = await self._db.read(lambda conn: self._ledger.account(conn, user_id))
        if known is not None:
            return known

        def open_account(conn: Connection) -> Account:
            self._ledger.open_account(conn, user_id)
            account = self._ledger.account(conn, user_id)
            assert account is not None
            return account

        return await self._db.write(open_account)
