"""What billing's use cases need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from kit.paging import Page
from services.billing.domain import Account, Estimate, Hold, Movement, Transaction, Workload


class Ledger(Protocol):
    """Accounts, holds and transactions. Every method is part of the unit of work whose connection it is given; none
    reads first and writes then: each write carries its condition and tells whether it was met."""

    def open_account(self, conn: Connection, user_id: str) -> None:
        """Make sure that the account is there; a new one starts with the initial grant."""
        ...

    def account(self, conn: Connection, user_id: str) -> Account | None: ...

    def post(
        self,
        conn: Connection,
        user_id: str,
        movements: Sequence[Movement],
        *,
        open_holds: int = 0,
        quota: int | None = None,
    ) -> Account | None:
        """Make the transactions, all or none, with their events, and return the account after them.

        `open_holds` is added to the account's count. None when the account lacks the money, would pass `quota` open
        holds or the largest amount, or does not exist; nothing has changed then.
        """
        ...

    def insert_hold(self, conn: Connection, hold: Hold) -> bool:
        """False when there is a hold or tombstone of that id already."""
        ...

    def hold(self, conn: Connection, hold_id: str) -> Hold | None: ...

    def settle_hold(self, conn: Connection, hold_id: str, captured: int, released: int) -> Hold | None:
        """Close an open hold whose amount the two make up; None where there is none."""
        ...

    def void_hold(self, conn: Connection, hold_id: str, owner: str) -> Hold | None:
        """Close an open hold of that owner and release it whole; None where there is none."""
        ...

    def transactions(
        self, conn: Connection, user_id: str, page: Page, session_id: str
    ) -> tuple[list[Transaction], int]:
        """A page of an account's ledger, newest first, and how many there are. An empty `session_id` is any."""
        ...


class Pricing(Protocol):
    """The price list."""

    def estimate(self, workload: Workload) -> Estimate:
        """Raises ValidationError for a session type that has no price."""
        ...
