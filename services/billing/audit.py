"""Does the ledger add up? For tests, and for operators: python -m services.billing.audit.

It needs the database's address in PRSM_BILLING_DATABASE_URL (or its file in ..._FILE) and nothing else; on SQLite the
service must not run.

Prints what is wrong and ends with 1, or says that all is well.
"""

from __future__ import annotations

import asyncio
import os
import sys

from sqlalchemy import ColumnElement, Connection, Select, case, func, or_, select

from kit.db.database import open_database
from kit.secret_files import value_of
from services.billing.domain import EFFECTS, HoldState
from services.billing.tables import accounts, holds, transactions

_MOST = 100
_LONGEST = 3600.0
"""Seconds that a sum over a large ledger may take."""
_VARIABLE = "PRSM_BILLING_DATABASE_URL"


def discrepancies(conn: Connection) -> list[str]:
    """What does not add up, at most 100 lines of each sort; empty when all is well.

    Credits are what is available, held or captured, all accounts together. Each account's parts are the sums of its
    transactions, its held part and its count of open holds those of its open holds.
    """
    found = _whole(conn)
    checks = (
        (_accounts_off(), "is not the sum of its transactions"),
        (_holds_off(), "does not hold what its open holds come to"),
    )
    for statement, issue in checks:
        found.extend(f"account {row.user_id} {issue}" for row in conn.execute(statement.limit(_MOST)))
    return found


def violations(conn: Connection) -> dict[str, int]:
    """How many places break each invariant: the total of all money, accounts against their transactions and against
    their open holds, and what must never be negative."""
    a = accounts.c

    def counted(statement: Select[tuple[str]]) -> int:
        return int(conn.execute(select(func.count()).select_from(statement.subquery())).scalar_one())

    return {
        "total": len(_whole(conn)),
        "accounts": counted(_accounts_off()),
        "holds": counted(_holds_off()),
        "negative": counted(select(a.user_id).where(or_(a.available < 0, a.held < 0))),
    }


def _whole(conn: Connection) -> list[str]:
    t, h, a = transactions.c, holds.c, accounts.c
    credited = conn.execute(select(func.coalesce(func.sum(t.amount), 0)).where(t.kind == "credit")).scalar_one()
    captured = conn.execute(select(func.coalesce(func.sum(h.captured), 0))).scalar_one()
    kept = conn.execute(select(func.coalesce(func.sum(a.available + a.held), 0))).scalar_one()
    if int(credited) == int(kept) + int(captured):
        return []
    return [f"credits are {int(credited)}, accounts and captures {int(kept) + int(captured)}"]


def _accounts_off() -> Select[tuple[str]]:
    a, t = accounts.c, transactions.c

    def total(part: str) -> ColumnElement[int]:
        effects = [(t.kind == kind.value, t.amount * getattr(effect, part)) for kind, effect in EFFECTS.items()]
        return func.coalesce(func.sum(case(*effects, else_=0)), 0)

    sums = (
        select(
            t.user_id,
            total("available").label("available"),
            total("held").label("held"),
            func.count().label("count"),
            func.max(t.version).label("version"),
        )
        .group_by(t.user_id)
        .subquery()
    )
    s = sums.c
    return (
        select(a.user_id)
        .select_from(accounts.outerjoin(sums, s.user_id == a.user_id))
        .where(
            or_(
                a.available != func.coalesce(s.available, 0),
                a.held != func.coalesce(s.held, 0),
                a.version != func.coalesce(s.count, 0),
                a.version != func.coalesce(s.version, 0),
            )
        )
    )


def _holds_off() -> Select[tuple[str]]:
    a, h = accounts.c, holds.c
    sums = (
        select(h.owner, func.sum(h.amount).label("held"), func.count().label("open"))
        .where(h.state == HoldState.OPEN.value)
        .group_by(h.owner)
        .subquery()
    )
    s = sums.c
    return (
        select(a.user_id)
        .select_from(accounts.outerjoin(sums, s.owner == a.user_id))
        .where(or_(a.held != func.coalesce(s.held, 0), a.open_holds != func.coalesce(s.open, 0)))
    )


async def _check(url: str) -> list[str]:
    db = open_database(url, schema="billing", longest=_LONGEST)
    try:
        return await db.read(discrepancies)
    finally:
        await db.close()


def main() -> int:
    url = value_of(os.environ, _VARIABLE)
    if not url:
        sys.stderr.write(f"{_VARIABLE} is not set\n")
        return 2
    found = asyncio.run(_check(url))
    sys.stdout.write(("\n".join(found) or "the ledger adds up") + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
