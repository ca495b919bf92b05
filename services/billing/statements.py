"""The ledger's writes, built once: building a statement costs more than running it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Insert,
    Table,
    Text,
    bindparam,
    case,
    insert,
    select,
    update,
)

from kit.db.prepared import Statement
from kit.db.upsert import insert_for
from kit.money import LARGEST
from services.billing.domain import HoldState
from services.billing.tables import accounts, holds, transactions

NO_QUOTA = 2**62


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


def _text(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text)


def _unless_there(table: Table) -> Statement:
    """An insert that leaves a row with the same primary key alone; its row count tells which it was."""

    def build(conn: Connection) -> Insert:
        return insert_for(conn, table).on_conflict_do_nothing(index_elements=list(table.primary_key))

    return Statement(build, table.c.keys())


OPEN_ACCOUNT = _unless_there(accounts)
INSERT_HOLD = _unless_there(holds)
ACCOUNT = select(accounts).where(accounts.c.user_id == _text("p_user"))
HOLD = select(holds).where(holds.c.hold_id == _text("p_hold"))
TRANSACTIONS = Statement(insert(transactions), transactions.c.keys())

_a = accounts.c
POST = Statement(
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
    .returning(_a.user_id, _a.available, _a.held, _a.open_holds, _a.version, _a.updated_at)
)
"""Add to the parts of an account, if it can bear that and stays within the quota; the account after it."""

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
