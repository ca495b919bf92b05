"""The fair queue: owners take turns.

A lane is an owner's part of an engine's queue. It joins the line at the number of the last claim, and whose lane has
the least number is served next; a claim puts the owner's lanes of the engines that were asked for at the line's end. So
whoever waits is passed by everybody else once at most, however much they have queued and whoever else comes: an owner's
thousand sessions starve nobody, newcomers without end do not starve those thousand, and nobody saves up turns by
staying away. An owner at the cap of running sessions is passed over, and keeps the place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, Executable, Insert, and_, bindparam, case, func, literal_column, or_, select, update

from kit.db.prepared import Statement
from kit.db.upsert import insert_for
from services.session.domain import HELD, Session, Status
from services.session.ports import Busy, Turn
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
    select(sessions.c.session_id, sessions.c.status_since)
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
    .where(lanes.c.owner == bindparam("lane_owner"), lanes.c.engine.in_(bindparam("engines", expanding=True)))
    .values(virtual_time=bindparam("value"))
)
_present = Statement(_clock)
_queued_by_engine = select(lanes.c.engine, func.sum(lanes.c.queued)).where(_WAITING).group_by(lanes.c.engine)
_leased_by_engine = (
    select(sessions.c.engine, func.count()).where(sessions.c.lease_until.is_not(None)).group_by(sessions.c.engine)
)
_leave = (
    update(lanes)
    .where(lanes.c.engine == bindparam("lane_engine"), lanes.c.owner == bindparam("lane_owner"))
    .values(queued=lanes.c.queued - 1)
)
_alone = and_(sessions.c.losses > literal_column("0"), sessions.c.failures >= bindparam("last"))
_busy = (
    select(
        sessions.c.worker_id,
        sessions.c.engine,
        func.count().label("held"),
        func.count(case((_alone, literal_column("1")))).label("alone"),
    )
    .where(sessions.c.lease_until.is_not(None))
    .group_by(sessions.c.worker_id, sessions.c.engine)
)


def _build_join(db: Connection) -> Insert:
    statement = insert_for(db, lanes)
    fresh = statement.excluded
    # A lane with something in it is in line already; nor is a turn given back that a claim took meanwhile.
    in_line = or_(_WAITING, lanes.c.virtual_time > fresh.virtual_time)
    place = case((in_line, lanes.c.virtual_time), else_=fresh.virtual_time)
    return statement.on_conflict_do_update(
        index_elements=["owner", "engine"],
        set_={"queued": lanes.c.queued + fresh.queued, "virtual_time": place},
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
            (row.virtual_time, row.owner, engine)
            for engine in engines
            for row in db.execute(_next_lane, {"engine": engine, "cap": cap, "lanes": 3})
        ]
        turns = []
        for place, owner, engine in sorted(found)[:3]:
            heads = db.execute(_head, {"engine": engine, "owner": owner, "heads": 3}).all()
            oldest = heads[0].status_since if heads else 0
            turns.append((place, oldest, Turn(owner, present + 1, tuple(engines), tuple(h.session_id for h in heads))))
        # Of an owner's own lanes, which share a place, the one that waits longest.
        return [turn for _, _, turn in sorted(turns, key=lambda each: each[:2])]

    def served(self, db: Connection, turn: Turn) -> None:
        """A session of this lane was claimed: its owner goes to the end of the line."""
        db.execute(_set_clock, {"value": turn.number})
        db.execute(_advance, {"lane_owner": turn.owner, "engines": turn.engines, "value": turn.number})

    def busy(self, db: Connection, last: int) -> list[Busy]:
        """Workers that have sessions and none that must be alone; those first that will be empty soonest. `last`: with
        so many failures one more is the last."""
        rows = db.execute(_busy, {"last": last}).all()
        closed = {row.worker_id for row in rows if row.alone}
        held = Counter[str]()
        engines: dict[str, set[str]] = {}
        for row in rows:
            held[row.worker_id] += row.held
            engines.setdefault(row.worker_id, set()).add(row.engine)
        found = sorted((count, worker_id) for worker_id, count in held.items() if worker_id not in closed)
        return [Busy(worker_id, frozenset(engines[worker_id])) for _, worker_id in found]

    def moved(self, db: Connection, before: Session | None, after: Session) -> None:
        """Follow a session's change of status."""
        was_queued = before is not None and before.status is Status.QUEUED
        is_queued = after.status is Status.QUEUED
        if is_queued and not was_queued:
            ((present,),) = _present.all(db, {})
            lane = {"engine": after.engine, "owner": after.owner, "virtual_time": present, "queued": 1}
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
