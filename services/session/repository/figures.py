"""Sums over sessions for whoever operates the service. Each uses an index that holds just what it counts."""

from __future__ import annotations

from sqlalchemy import Connection, func, literal_column, select

from services.session.tables import counters, creations, sessions

_s = sessions.c
QUEUE = (
    select(_s.engine, func.count(), func.min(_s.status_since))
    .where(_s.status == literal_column("'queued'"))
    .group_by(_s.engine)
)
LEASED = select(_s.lease_until).where(_s.lease_until.is_not(None))
_leases = LEASED.subquery()
UNSETTLED = select(func.count(), func.min(_s.finished_at)).where(_s.settle_after.is_not(None))
PAUSED = select(func.min(_s.status_since)).where(_s.status == literal_column("'paused'"))
CREATIONS = select(func.count(), func.min(creations.c.created_at)).where(creations.c.state != literal_column("'done'"))
_totals = select(counters.c.status, func.sum(counters.c["count"]), func.sum(counters.c.held)).group_by(
    counters.c.status
)
Counted = tuple[int, int | None]
"""How many, and the moment of the first."""


class Figures:
    """For `Database.scan`: none of them is quick when there is much."""

    def queue(self, db: Connection) -> dict[str, Counted]:
        """By engine, what is queued and since when."""
        return {engine: (int(count), since) for engine, count, since in db.execute(QUEUE)}

    def leases(self, db: Connection, now: int) -> tuple[int, int]:
        """Live and expired ones."""
        statement = select(func.count(), func.count().filter(_leases.c.lease_until > now)).select_from(_leases)
        every, live = db.execute(statement).one()
        return int(live), int(every) - int(live)

    def unsettled(self, db: Connection) -> Counted:
        """Ended sessions that billing has not acknowledged."""
        count, first = db.execute(UNSETTLED).one()
        return int(count), first

    def paused(self, db: Connection) -> int | None:
        """Since when the longest paused session is."""
        since: int | None = db.execute(PAUSED).scalar_one()
        return since

    def creations(self, db: Connection) -> Counted:
        """Creations under way or left behind."""
        count, first = db.execute(CREATIONS).one()
        return int(count), first

    def totals(self, db: Connection) -> tuple[dict[str, int], int]:
        """Sessions by status, and what is held for open ones, in 10^-6 of the currency."""
        rows = [(status, int(count), int(held)) for status, count, held in db.execute(_totals)]
        return {status: count for status, count, _ in rows}, sum(held for _, _, held in rows)
