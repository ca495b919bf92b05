"""The sessions table with everything that changes together with a row of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, func, insert, select, update

from kit.db.outbox import Event, Outbox
from kit.db.prepared import Statement
from kit.db.upsert import insert_for
from services.session.domain import Change, Charge, FinishedStage, Session, Status
from services.session.errors import LostRace
from services.session.ports import Glance
from services.session.repository.queue import FairQueue
from services.session.repository.rows import FIXED, dumps, fixed_values, session_of, state_values
from services.session.tables import charges, counters, history, sessions, stages
from services.session.views import SessionView

EventOf = Callable[[Session, str], Event]

_get = select(sessions).where(sessions.c.session_id == bindparam("id"))
_lock = _get.with_for_update()
_view = select(*(sessions.c[name] for name in SessionView._fields)).where(sessions.c.session_id == bindparam("id"))
_insert = Statement(insert(sessions), sessions.c.keys())
_history = Statement(insert(history), history.c.keys())
_charge = insert(charges)
_stage = insert(stages)
_waive = update(charges).where(charges.c.session_id == bindparam("id")).values(amount=0)
_stages = (
    select(stages.c.stage, stages.c.epoch, stages.c.hash, stages.c.running, stages.c.finished_at)
    .where(stages.c.session_id == bindparam("id"))
    .order_by(stages.c.position)
)
_stage_count = select(func.count()).where(stages.c.session_id == bindparam("id"))
_charges = select(charges).where(charges.c.session_id == bindparam("id")).order_by(charges.c.position, charges.c.stage)
_charge_count = select(func.count()).where(charges.c.session_id == bindparam("id"))
# The version and the epoch that were read must still stand, and the status must be one the transition starts from.
_update = (
    update(sessions)
    .where(
        sessions.c.session_id == bindparam("id"),
        sessions.c.epoch == bindparam("read_epoch"),
        sessions.c.version == bindparam("read_version"),
        sessions.c.status.in_(bindparam("sources", expanding=True)),
    )
    .values({column.name: bindparam(column.name) for column in sessions.c if column.name not in FIXED})
)


def _build_count(db: Connection) -> Insert:
    statement = insert_for(db, counters)
    fresh = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["owner", "session_type", "status"],
        set_={
            "count": counters.c.count + fresh.count,
            "held": counters.c.held + fresh.held,
            "charged": counters.c.charged + fresh.charged,
        },
    )


_count = Statement(_build_count, counters.c.keys())


class SessionRepository:
    """See the module."""

    def __init__(self, outbox: Outbox, queue: FairQueue, event_of: EventOf) -> None:
        self._outbox = outbox
        self._queue = queue
        self._event_of = event_of

    def view(self, db: Connection, session_id: str) -> SessionView | None:
        """What readers see."""
        row = db.execute(_view, {"id": session_id}).first()
        return None if row is None else SessionView._make(row)

    def get(self, db: Connection, session_id: str) -> Session | None:
        row = db.execute(_get, {"id": session_id}).one_or_none()
        return None if row is None else session_of(row)

    def lock(self, db: Connection, session_id: str) -> Session | None:
        """Read a session that is about to change; on PostgreSQL nobody else changes it until the commit."""
        row = db.execute(_lock, {"id": session_id}).one_or_none()
        return None if row is None else session_of(row)

    def insert(self, db: Connection, change: Change) -> Session:
        """Store a new session with its first history rows."""
        self._number(change)
        session = change.after
        _insert.run(db, {**fixed_values(session), **state_values(session)})
        self._follow(db, None, change)
        return session

    def apply(self, db: Connection, change: Change) -> Session:
        """Make a change so. Raises LostRace when the row is not what was read any more."""
        self._number(change)
        before, after = change.before, change.after
        values = state_values(after)
        values.update(
            id=before.session_id,
            read_epoch=before.epoch,
            read_version=before.version,
            sources=[status.value for status in change.transition.sources],
        )
        if db.execute(_update, values).rowcount != 1:
            raise LostRace()
        if change.entries or before.status is not after.status or before.charged != after.charged:
            self._follow(db, before, change)
        return after

    def _number(self, change: Change) -> None:
        change.after.version = change.before.version + len(change.entries)

    def _follow(self, db: Connection, before: Session | None, change: Change) -> None:
        """Whatever stands or falls with the row."""
        after = change.after
        if change.entries:
            _history.run_many(db, [_history_values(change, number) for number in range(len(change.entries))])
        if change.finished is not None:
            self._checkpoint(db, after.session_id, change.finished)
        if change.waived:
            db.execute(_waive, {"id": after.session_id})
        if change.charges:
            self._charge(db, after.session_id, change.charges)
        self._tally(db, before, after)
        self._queue.moved(db, before, after)
        if change.event is not None:
            self._outbox.append(db, [self._event_of(after, change.event)])

    def _checkpoint(self, db: Connection, session_id: str, finished: FinishedStage) -> None:
        position = db.execute(_stage_count, {"id": session_id}).scalar_one()
        values = {
            "session_id": session_id,
            "stage": finished.stage,
            "position": position,
            "epoch": finished.epoch,
            "hash": finished.hash,
            "running": finished.running,
            "finished_at": finished.finished_at,
        }
        db.execute(_stage, values)

    def _charge(self, db: Connection, session_id: str, made: Sequence[Charge]) -> None:
        first = db.execute(_charge_count, {"id": session_id}).scalar_one()
        rows = [
            {
                "session_id": session_id,
                "stage": charge.stage,
                "item": charge.item,
                "position": first + number,
                "unit": charge.unit,
                "quantity": charge.quantity,
                "unit_price": charge.unit_price,
                "amount": charge.amount,
            }
            for number, charge in enumerate(made)
        ]
        db.execute(_charge, rows)

    def _tally(self, db: Connection, before: Session | None, after: Session) -> None:
        if before is None:
            deltas = {after.status.value: [1, after.held, after.charged]}
        elif before.status is not after.status or before.charged != after.charged:
            deltas = {before.status.value: [-1, 0 if before.terminal else -before.held, -before.charged]}
            added = deltas.setdefault(after.status.value, [0, 0, 0])
            added[0] += 1
            added[1] += 0 if after.terminal else after.held
            added[2] += after.charged
        else:
            return
        key = {"owner": after.owner, "session_type": after.session_type.value}
        # In one order everywhere, so that two changes of an owner's sessions do not wait for each other.
        for status in sorted(deltas):
            count, held, charged = deltas[status]
            _count.run(db, {**key, "status": status, "count": count, "held": held, "charged": charged})

    def finished_stages(self, db: Connection, session_id: str) -> list[FinishedStage]:
        """Checkpoints in order."""
        return [FinishedStage(*row) for row in db.execute(_stages, {"id": session_id})]

    def charges(self, db: Connection, session_id: str) -> list[Charge]:
        return [
            Charge(r.stage, r.item, r.unit, r.quantity, r.unit_price, r.amount)
            for r in db.execute(_charges, {"id": session_id})
        ]

    def settled(self, db: Connection, session_id: str, now: int) -> None:
        """Billing has acknowledged the settlement."""
        db.execute(_settled, {"id": session_id, "now": now})

    def settle_later(self, db: Connection, session_id: str, after: int) -> None:
        db.execute(_settle_later, {"id": session_id, "after": after})

    def glance(self, db: Connection, session_ids: Sequence[str]) -> list[Glance]:
        rows = db.execute(_glance, {"ids": list(session_ids)})
        return [
            Glance(id_, version, Status(status), progress, stage, at)
            for id_, version, status, progress, stage, at in rows
        ]


_settled = (
    update(sessions)
    .where(sessions.c.session_id == bindparam("id"), sessions.c.settled_at.is_(None))
    .values(settled_at=bindparam("now"), settle_after=None)
)
_settle_later = (
    update(sessions)
    .where(sessions.c.session_id == bindparam("id"), sessions.c.settled_at.is_(None))
    .values(settle_after=bindparam("after"))
)
_glance = select(
    sessions.c.session_id,
    sessions.c.version,
    sessions.c.status,
    sessions.c.progress,
    sessions.c.current_stage,
    sessions.c.updated_at,
).where(sessions.c.session_id.in_(bindparam("ids", expanding=True)))


def _history_values(change: Change, number: int) -> dict[str, Any]:
    after, entry = change.after, change.entries[number]
    return {
        "session_id": after.session_id,
        "seq": change.before.version + number + 1,
        "at": after.updated_at,
        "type": entry.type,
        "actor": entry.actor,
        "kind": entry.kind.value,
        "detail": dumps(entry.detail),
        "status": after.status.value,
        "progress": after.progress,
        "stage": after.current_stage,
    }
