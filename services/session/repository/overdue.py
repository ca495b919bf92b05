"""What the sweeper looks for, each by an index."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from services.session.domain import Session
from services.session.ports import Held, Unsettled
from services.session.repository.rows import session_of
from services.session.tables import sessions

_s = sessions.c
# Everything in the hands of a worker has a lease, and its index holds nothing else.
_held = select(_s.session_id, _s.epoch, _s.lease_until, _s.status, _s.running, _s.time_limit).where(
    _s.lease_until.is_not(None)
)
_unsettled = (
    select(_s.session_id, _s.settle_after)
    .where(_s.settle_after.is_not(None))
    .order_by(_s.settle_after)
    .limit(bindparam("most"))
)
_these = select(sessions).where(_s.session_id.in_(bindparam("ids", expanding=True)), _s.settle_after.is_not(None))


class OverdueRepository:
    """See the module."""

    def held(self, db: Connection) -> list[Held]:
        """Every session in the hands of a worker."""
        return [Held._make(row) for row in db.execute(_held)]

    def unsettled(self, db: Connection, most: int) -> list[Unsettled]:
        """Ended sessions whose settlement billing has not acknowledged, those first that are to be told first."""
        return [Unsettled(*row) for row in db.execute(_unsettled, {"most": most})]

    def settlements(self, db: Connection, session_ids: Sequence[str]) -> list[Session]:
        """Those of these that are still not acknowledged."""
        return [session_of(row) for row in db.execute(_these, {"ids": list(session_ids)})]
