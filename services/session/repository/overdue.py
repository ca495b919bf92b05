"""What the sweeper looks for, each by an index."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from services.session.domain import Session, Status
from services.session.repository.rows import session_of
from services.session.tables import sessions

_s = sessions.c
_leases = (
    select(_s.session_id).where(_s.lease_until <= bindparam("now")).order_by(_s.lease_until).limit(bindparam("most"))
)
# Everything in the hands of a worker has a lease, so this looks at as many rows as there are workers.
_HELD = _s.lease_until.is_not(None)
_time_limits = (
    select(_s.session_id)
    .where(_HELD, _s.status == Status.RUNNING.value, _s.running + bindparam("beat") >= _s.time_limit)
    .limit(bindparam("most"))
)
_initializing = (
    select(_s.session_id)
    .where(_HELD, _s.status == Status.INITIALIZING.value, _s.status_since <= bindparam("before"))
    .limit(bindparam("most"))
)
_unsettled = (
    select(sessions).where(_s.settle_after <= bindparam("now")).order_by(_s.settle_after).limit(bindparam("most"))
)


class OverdueRepository:
    """See the module."""

    def leases(self, db: Connection, now: int, most: int) -> list[str]:
        """Sessions whose worker was not heard of in time."""
        return list(db.execute(_leases, {"now": now, "most": most}).scalars())

    def time_limits(self, db: Connection, beat: int, most: int) -> list[str]:
        """Sessions whose time limit is reached, or is within `beat` of it."""
        return list(db.execute(_time_limits, {"beat": beat, "most": most}).scalars())

    def initializing(self, db: Connection, before: int, most: int) -> list[str]:
        """Sessions that a worker has been starting since before a moment."""
        return list(db.execute(_initializing, {"before": before, "most": most}).scalars())

    def unsettled(self, db: Connection, now: int, most: int) -> list[Session]:
        """Ended sessions whose settlement billing has not acknowledged."""
        return [session_of(row) for row in db.execute(_unsettled, {"now": now, "most": most})]
