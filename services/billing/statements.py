"""The ledger's writes, built once: building a statement costs more than running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, BindParameter, Connection, Table, Text, bindparam, case, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from kit.money import LARGEST
from services.billing.domain import HoldState
from services.billing.tables import accounts, holds, transactions

if TYPE_CHECKING:
    from sqlalchemy import Insert

NO_QUOTA = 2**62


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


def _text(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text)


def insert_unless_there(conn: Connection, table: Table) -> Insert:
    """An insert that leaves a row with the same primary key alone; its row count tells which it was."""
    return _UNLESS_THERE[table.name][conn.dialect.name]


_UNLESS_THERE = {
    table.name: {
        "sqlite": sqlite_insert(table).on_conflict_do_nothing(index_elements=list(table.primary_key)),
        "postgresql": postgres_insert(table).on_conflict_do_nothing(index_elements=list(table.primary_key)),
    }
    for table in (accounts, holds)
}

ACCOUNT = select(accounts).where(accounts.c.user_id == _text("p_user"))
HOLD = select(holds).where(holds.c.hold_id == _text("p_hold"))
TRANSACTIONS = insert(transactions)

_a = accounts.c
POST = (
    update(accounts)
    .where(
        _a.user_id == _text("p_user"),
        _a.available + _number("p_available") >= 0,
        _a.held + _number("p_held") >= 0,
        _a.available + _a.held + _number("p_available") + _number("p_held") <= LARGEST,
        _a.open_holds + _number("p_holds") <= _number("p_quota"),
    )
    .values(
        available=_a.available + _number("p_available"),
        held=_a.held + _number("p_held"),
        open_holds=_a.open_holds + _number("p_holds"),
        version=_a.version + _number("p_count"),
        # Later than every transaction before, also by a clock that was set back.
        updated_at=case(
            (_a.updated_at + _number("p_count") > _number("p_now"), _a.updated_at + _number("p_count")),
            else_=_number("p_now"),
        ),
    )
    .returning(accounts)
)
"""Add to the parts of an account, if it can bear that and stays within the quota."""

_open = (holds.c.hold_id == _text("p_hold"), holds.c.state == HoldState.OPEN.value)
SETTLE = (
    update(holds)
    .where(*_open, holds.c.amount == _number("p_captured") + _number("p_released"))
    .values(
        state=HoldState.SETTLED.value,
        captured=_number("p_captured"),
        released=_number("p_released"),
        closed_at=_number("p_now"),
    )
    .returning(holds)
)
VOID = (
    update(holds)
    .where(*_open, holds.c.owner == _text("p_owner"))
    .values(state=HoldState.VOID.value, released=holds.c.amount, closed_at=_number("p_now"))
    .returning(holds)
)
