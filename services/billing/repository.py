"""The ledger on SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson
from sqlalchemy import Connection, Row, and_, func, or_, select

from kit.bus.names import event_subject
from kit.db.outbox import Event, Outbox
from kit.ids import Ids
from kit.paging import Page
from kit.times import Clock
from services.billing import statements
from services.billing.domain import (
    EFFECTS,
    Account,
    Estimate,
    EstimateItem,
    Hold,
    HoldState,
    Kind,
    Movement,
    Price,
    Transaction,
)
from services.billing.tables import accounts, transactions


class SqlLedger:
    """Behind `ports.Ledger`."""

    def __init__(
        self, *, outbox: Outbox, ids: Ids, clock: Clock, grant: int, encode: Callable[[Transaction], bytes]
    ) -> None:
        """`grant` is what a new account starts with; `encode` makes the payload of a transaction's event."""
        self._outbox = outbox
        self._ids = ids
        self._clock = clock
        self._grant = grant
        self._encode = encode

    def open_account(self, conn: Connection, user_id: str) -> None:
        fresh = {"user_id": user_id, "available": 0, "held": 0, "open_holds": 0, "version": 0, "updated_at": 0}
        if statements.OPEN_ACCOUNT.run(conn, fresh) and self._grant:
            self.post(conn, user_id, [Movement(Kind.CREDIT, self._grant, "Initial grant")])

    def account(self, conn: Connection, user_id: str) -> Account | None:
        row = conn.execute(statements.ACCOUNT, {"p_user": user_id}).one_or_none()
        return _account(row) if row else None

    def post(
        self,
        conn: Connection,
        user_id: str,
        movements: Sequence[Movement],
        *,
        open_holds: int = 0,
        quota: int | None = None,
    ) -> Account | None:
        added = {
            "p_user": user_id,
            "p_available": sum(EFFECTS[m.kind].available * m.amount for m in movements),
            "p_held": sum(EFFECTS[m.kind].held * m.amount for m in movements),
            "p_holds": open_holds,
            "p_quota": statements.NO_QUOTA if quota is None else quota,
            "p_count": len(movements),
            "p_now": self._clock.now(),
        }
        moved = statements.POST.first(conn, added)
        if moved is None:
            return None
        *parts, updated_at = moved
        account = Account(*parts)
        self._write_down(conn, account, updated_at, movements)
        return account

    def _write_down(self, conn: Connection, after: Account, at: int, movements: Sequence[Movement]) -> None:
        if not movements:
            return
        available, held = after.available, after.held
        made: list[Transaction] = []
        for back, movement in enumerate(reversed(movements)):
            transaction = Transaction(
                transaction_id=self._ids.new(),
                user_id=after.user_id,
                version=after.version - back,
                kind=movement.kind,
                amount=movement.amount,
                description=movement.description,
                session_id=movement.session_id,
                available_after=available,
                held_after=held,
                created_at=at - back,
            )
            effect = EFFECTS[movement.kind]
            available -= effect.available * movement.amount
            held -= effect.held * movement.amount
            made.append(transaction)
        made.reverse()
        statements.TRANSACTIONS.run_many(conn, [_columns(transaction) for transaction in made])
        self._outbox.append(conn, [self._event(transaction) for transaction in made])

    def _event(self, transaction: Transaction) -> Event:
        kind = f"account.{transaction.kind.value}"
        return Event(
            id=self._ids.new(),
            type=kind,
            subject=event_subject("billing", kind),
            key=transaction.user_id,
            payload=self._encode(transaction),
            created_at=transaction.created_at,
        )

    def insert_hold(self, conn: Connection, hold: Hold) -> bool:
        now = self._clock.now()
        row = {
            "hold_id": hold.hold_id,
            "owner": hold.owner,
            "amount": hold.amount,
            "state": hold.state.value,
            "captured": hold.captured,
            "released": hold.released,
            "estimate": None if hold.estimate is None else orjson.dumps(hold.estimate).decode(),
            "created_at": now,
            "closed_at": None if hold.state is HoldState.OPEN else now,
        }
        return statements.INSERT_HOLD.run(conn, row) == 1

    def hold(self, conn: Connection, hold_id: str) -> Hold | None:
        row = conn.execute(statements.HOLD, {"p_hold": hold_id}).one_or_none()
        return _hold(row) if row else None

    def settle_hold(self, conn: Connection, hold_id: str, captured: int, released: int) -> Hold | None:
        figures = {"p_captured": captured, "p_released": released}
        row = conn.execute(statements.SETTLE, {"p_hold": hold_id, **figures, "p_now": self._clock.now()}).one_or_none()
        return _hold(row) if row else None

    def void_hold(self, conn: Connection, hold_id: str, owner: str) -> Hold | None:
        wanted = {"p_hold": hold_id, "p_owner": owner, "p_now": self._clock.now()}
        row = conn.execute(statements.VOID, wanted).one_or_none()
        return _hold(row) if row else None

    def transactions(
        self, conn: Connection, user_id: str, page: Page, session_id: str
    ) -> tuple[list[Transaction], int]:
        t = transactions.c
        matching = [t.user_id == user_id]
        if session_id:
            # A session has three transactions at most, so they are counted; an account's version is its count.
            matching.append(t.session_id == session_id)
            counted = select(func.count()).select_from(transactions).where(*matching)
        else:
            counted = select(accounts.c.version).where(accounts.c.user_id == user_id)
        total = conn.execute(counted).scalar_one_or_none() or 0
        listed = select(transactions).where(*matching)
        if page.after is not None:
            after = page.after
            listed = listed.where(
                or_(
                    t.created_at < after.created_at,
                    and_(t.created_at == after.created_at, t.transaction_id < after.id),
                )
            )
        listed = listed.order_by(t.created_at.desc(), t.transaction_id.desc()).limit(page.limit).offset(page.offset)
        return [_transaction(row) for row in conn.execute(listed)], total


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(row.user_id, row.available, row.held, row.open_holds, row.version)


def _hold(row: Row[tuple[object, ...]]) -> Hold:
    return Hold(
        hold_id=row.hold_id,
        owner=row.owner,
        amount=row.amount,
        state=HoldState(row.state),
        captured=row.captured,
        released=row.released,
        estimate=None if row.estimate is None else _estimate(row.estimate),
    )


def _estimate(text: str) -> Estimate:
    data = orjson.loads(text)
    data["items"] = tuple(EstimateItem(**item) for item in data["items"])
    data["prices"] = tuple(Price(**price) for price in data["prices"])
    return Estimate(**data)


def _columns(transaction: Transaction) -> dict[str, object]:
    return {
        "transaction_id": transaction.transaction_id,
        "user_id": transaction.user_id,
        "version": transaction.version,
        "kind": transaction.kind.value,
        "amount": transaction.amount,
        "description": transaction.description,
        "session_id": transaction.session_id,
        "available_after": transaction.available_after,
        "held_after": transaction.held_after,
        "created_at": transaction.created_at,
    }


def _transaction(row: Row[tuple[object, ...]]) -> Transaction:
    values = dict(row._mapping)
    return Transaction(**{**values, "kind": Kind(row.kind)})
