"""The fair queue: start-time fair queuing over owners.

Every owner has a virtual time; the waiting owner with the least is served next, and each claim moves it one on. Who
starts to wait joins at the present virtual time, so nobody saves up turns by staying away, and whoever comes new is
behind at most one claim of everybody who waits: an owner's thousand sessions starve nobody. An owner at the cap of
running sessions is passed over. A lane is an owner's part of an engine's queue.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Executable, Insert, bindparam, case, func, literal_column, select, update

from kit.db.prepared import Statement
from kit.db.upsert import insert_for
from services.session.domain import HELD, Session, Status
from services.session.ports import Turn
from services.session.repository.dialects import PerDialect
from services.session.tables import lanes, loads, sessions, virtual_clock

_WAITING = lanes.c.queued > literal_column("0")
_next_lane = (
    select(lanes.c.owner, lanes.c.virtual_time)
    .join(loads, loads.c.owner == lanes.c.owner, isouter=True)
    .where(
        lanes.c.engine == bindparam("engine"),
        _WAITING,
        func.coalesce(loads.c.active, 0) < bindparam("cap"),
    )
    .order_by(lanes.c.virtual_time, lanes.c.owner)
    .limit(bindparam("lanes"))
)
_head = (
    select(sessions.c.session_id)
    .where(
        sessions.c.engine == bindparam("engine"),
        sessions.c.owner == bindparam("owner"),
        sessions.c.status == literal_column("'queued'"),
    )
    .order_by(sessions.c.status_since, sessions.c.session_id)
    .limit(bindparam("heads"))
    .with_for_update(skip_locked=True)
)
_clock = select(virtual_clock.c.virtual_time).where(virtual_clock.c.id == literal_column("1"))
_lock_clock = _clock.with_for_update()
_set_clock = update(virtual_clock).where(virtual_clock.c.id == 1).values(virtual_time=bindparam("value"))
_advance = (
    update(lanes)
    .where(lanes.c.owner == bindparam("lane_owner"), lanes.c.virtual_time < bindparam("value"))
    .values(virtual_time=bindparam("value"))
)
_owner_time = select(func.max(lanes.c.virtual_time)).where(lanes.c.owner == bindparam("owner")).scalar_subquery()
_times = Statement(_clock.add_columns(func.coalesce(_owner_time, literal_column("0"))))
_queued_by_engine = select(lanes.c.engine, func.sum(lanes.c.queued)).where(_WAITING).group_by(lanes.c.engine)
_leased_by_engine = (
    select(sessions.c.engine, func.count()).where(sessions.c.lease_until.is_not(None)).group_by(sessions.c.engine)
)
_leave = (
    update(lanes)
    .where(lanes.c.engine == bindparam("lane_engine"), lanes.c.owner == bindparam("lane_owner"))
    .values(queued=lanes.c.queued - 1)
)


def _build_join(db: Connection) -> Insert:
    statement = insert_for(db, lanes)
    fresh = statement.excluded
    # A claim that commits meanwhile has moved the owner on; that turn is not given back.
    later = case((lanes.c.virtual_time > fresh.virtual_time, lanes.c.virtual_time), else_=fresh.virtual_time)
    return statement.on_conflict_do_update(
        index_elements=["owner", "engine"],
        set_={"queued": lanes.c.queued + fresh.queued, "virtual_time": later},
    )


def _build_carry(db: Connection) -> Executable:
    statement = insert_for(db, loads)
    return statement.on_conflict_do_update(
        index_elements=["owner"], set_={"active": loads.c.active + statement.excluded.active}
    )


_join = Statement(_build_join, lanes.c.keys())
_carry = PerDialect(_build_carry)


class FairQueue:
    """Keeps lanes and loads in step with the sessions, and says whose turn it is."""

    def turns(self, db: Connection, engines: Sequence[str], cap: int) -> list[Turn]:
        """The next owners in turn with their oldest queued sessions. Other claims wait until this one commits."""
        present = db.execute(_lock_clock).scalar_one()
        found = [
            (max(row.virtual_time, present), row.virtual_time, row.owner, engine)
            for engine in engines
            for row in db.execute(_next_lane, {"engine": engine, "cap": cap, "lanes": 3})
        ]
        turns = []
        for served_at, _, owner, engine in sorted(found)[:3]:
            heads = db.execute(_head, {"engine": engine, "owner": owner, "heads": 3}).scalars()
            turns.append(Turn(owner, served_at, tuple(heads)))
        return turns

    def served(self, db: Connection, turn: Turn) -> None:
        """A session of this lane was claimed: its owner is one turn on."""
        db.execute(_set_clock, {"value": turn.virtual_time})
        db.execute(_advance, {"lane_owner": turn.owner, "value": turn.virtual_time + 1})

    def moved(self, db: Connection, before: Session | None, after: Session) -> None:
        """Follow a session's change of status."""
        was_queued = before is not None and before.status is Status.QUEUED
        is_queued = after.status is Status.QUEUED
        if is_queued and not was_queued:
            ((present, own),) = _times.all(db, {"owner": after.owner})
            lane = {"engine": after.engine, "owner": after.owner, "virtual_time": max(present, own), "queued": 1}
            _join.run(db, lane)
        elif was_queued and not is_queued:
            db.execute(_leave, {"lane_engine": after.engine, "lane_owner": after.owner})
        was_held = before is not None and before.status in HELD
        is_held = after.status in HELD
        if was_held != is_held:
            db.execute(_carry(db), {"owner": after.owner, "active": 1 if is_held else -1})

    def demand(self, db: Connection) -> dict[str, int]:
        """By engine, how many sessions are queued or in the hands of workers."""
        wanted: dict[str, int] = {}
        for statement in (_queued_by_engine, _leased_by_engine):
            for engine, count in db.execute(statement):
                wanted[engine] = wanted.get(engine, 0) + int(count)
        return wanted
