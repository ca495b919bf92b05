"""CreditAccount: funds added by an operator."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from kit.db.database import Database
from kit.errors import ValidationError
from kit.money import LARGEST, show
from services.billing.domain import Account, Kind, Movement
from services.billing.ports import Ledger


class CreditAccount:
    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def __call__(
        self, user_id: str, amount: int, description: str, record: Callable[[Connection, Account], None]
    ) -> Account:
        """`record` writes the outcome down for the caller's key, in the same transaction.

        Raises ValidationError when the account would hold more than an amount can be.
        """

        def credit(conn: Connection) -> Account:
            self._ledger.open_account(conn, user_id)
            movement = Movement(Kind.CREDIT, amount, description or "Credit")
            account = self._ledger.post(conn, user_id, [movement])
            if account is None:
                raise ValidationError.of("amount", f'would take the account above "{show(LARGEST)}"')
            record(conn, account)
            return account

        return await self._db.write(credit)
