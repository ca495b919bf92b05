"""The figures that billing looks up for metrics, and whether the ledger adds up. Money is in 10^-6 of the currency."""

from __future__ import annotations

from sqlalchemy import Connection, func, literal_column, select

from kit.db.database import Database
from kit.telemetry.metrics import Gauge
from kit.telemetry.readings import Reading
from kit.times import SECOND, Clock
from services.billing.audit import violations
from services.billing.domain import HoldState
from services.billing.tables import holds

OPEN = Gauge("prsm_billing_open_holds", "Holds that are neither settled nor void.")
AMOUNT = Gauge("prsm_billing_open_holds_micros", "What they hold together.")
OLDEST = Gauge("prsm_billing_open_holds_oldest_age_seconds", "Age of the oldest of them; 0 without any.")
VIOLATIONS = Gauge("prsm_billing_invariant_violations", "Places where the ledger does not add up.", ["invariant"])
_h = holds.c
# Written out, since the index is of this one state.
OPEN_HOLDS = select(func.count(), func.coalesce(func.sum(_h.amount), 0), func.min(_h.created_at)).where(
    _h.state == literal_column(f"'{HoldState.OPEN.value}'")
)


def readings(db: Database, clock: Clock, *, audit: float) -> list[Reading]:
    """`audit` is how often, in seconds, the whole ledger is added up at most."""

    def look(conn: Connection) -> tuple[int, int, int | None]:
        count, amount, oldest = conn.execute(OPEN_HOLDS).one()
        return int(count), int(amount), oldest

    async def take_holds() -> None:
        count, amount, oldest = await db.scan(look)
        OPEN.set(count)
        AMOUNT.set(amount)
        OLDEST.set(max(clock.now() - oldest, 0) / SECOND if oldest is not None else 0.0)

    async def add_up() -> None:
        found = await db.scan(violations)
        VIOLATIONS.replace({(name,): float(count) for name, count in found.items()})

    return [
        Reading("holds", 15.0, take_holds, (OPEN, AMOUNT, OLDEST), shared=True),
        Reading("audit", audit, add_up, (VIOLATIONS,), shared=True),
    ]
