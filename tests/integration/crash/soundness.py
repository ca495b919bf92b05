"""What must hold of the two databases whatever died, and of what is left when everybody has come back."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, func, select

from prsm.events.v1 import events_pb2
from services.billing.audit import discrepancies
from services.billing.tables import holds
from services.session.domain import TERMINAL, Status
from services.session.tables import KIT, charges, counters, creations, history, sessions
from tests.integration.crash.node import Node


async def faults_now(node: Node) -> list[str]:
    """What is wrong at any moment, whoever is about to go on."""
    found = await node.ledger.read(discrepancies)
    for check in (_histories, _events, _charges, _counters):
        found += await node.db.read(check)
    return found + await _holds(node, mended=False)


async def faults_in_the_end(node: Node) -> list[str]:
    """What is wrong when nothing is under way any more."""
    unfinished = select(creations.c.session_id, creations.c.state).where(creations.c.state != "done")
    found = [f"creation left: {row}" for row in await node.db.read(lambda db: db.execute(unfinished).all())]
    stored, known = node.shelves.stored(), {row.session_id for row in await _sessions(node)}
    found += [f"inputs stored for nothing: {id_}" for id_ in stored - known]
    return found + await faults_now(node) + await _holds(node, mended=True)


async def _sessions(node: Node) -> list[Any]:
    return list(await node.db.read(lambda db: db.execute(select(sessions)).all()))


async def _holds(node: Node, *, mended: bool) -> list[str]:
    """Each session has its hold; in the end no hold is open but for an open session, and each end is settled."""
    placed = {row.hold_id: row for row in await node.ledger.read(lambda db: db.execute(select(holds)).all())}
    found: list[str] = []
    open_sessions = set()
    for row in await _sessions(node):
        hold = placed.get(row.session_id)
        if hold is None or hold.amount != row.held:
            found.append(f"{row.session_id} has no hold of {row.held}")
            continue
        if Status(row.status) not in TERMINAL:
            open_sessions.add(row.session_id)
            if hold.state != "open":
                found.append(f"{row.session_id} is {row.status}, its hold {hold.state}")
        elif hold.state != "open" or mended:
            settled = (hold.state, hold.captured, hold.released)
            if settled != ("settled", row.charged, row.released):
                found.append(f"{row.session_id} was settled {settled}, not {row.charged} and {row.released}")
            if mended and (row.settled_at is None or row.settle_after is not None):
                found.append(f"{row.session_id} does not know that it is settled")
    if mended:
        left = {id_ for id_, hold in placed.items() if hold.state == "open"} - open_sessions
        found += [f"held for nothing: {id_}" for id_ in left]
    return found


def _histories(db: Connection) -> list[str]:
    """Numbered without gaps up to the session's version."""
    h = history.c
    rows = select(h.session_id, func.count(), func.min(h.seq), func.max(h.seq)).group_by(h.session_id)
    told = {row[0]: tuple(row[1:]) for row in db.execute(rows)}
    versions = {row.session_id: row.version for row in db.execute(select(sessions.c.session_id, sessions.c.version))}
    if told.keys() != versions.keys():
        return [f"histories of {sorted(told)} and sessions {sorted(versions)}"]
    return [f"{id_}: history {told[id_]}, version {v}" for id_, v in versions.items() if told[id_] != (v, 1, v)]


def _events(db: Connection) -> list[str]:
    """Rising versions, each state told, and none that is not so: the last one tells the state there is."""
    found: list[str] = []
    told: dict[str, list[events_pb2.SessionChanged]] = {}
    for (payload,) in db.execute(select(KIT.outbox.c.payload).order_by(KIT.outbox.c.id)):
        event = events_pb2.SessionChanged.FromString(payload)
        told.setdefault(event.session_id, []).append(event)
    rows = {row.session_id: row for row in db.execute(select(sessions))}
    if told.keys() != rows.keys():
        found.append(f"events of {sorted(told)} and sessions {sorted(rows)}")
    for id_, events in told.items():
        if any(a.version >= b.version for a, b in pairwise(events)):
            found.append(f"{id_}: versions {[event.version for event in events]}")
        if id_ in rows and events[-1].status != rows[id_].status:
            found.append(f"{id_} is {rows[id_].status}, and {events[-1].status} was told")
        ends = [event for event in events if event.HasField("settlement")]
        if len(ends) != (id_ in rows and Status(rows[id_].status) in TERMINAL):
            found.append(f"{id_}: {len(ends)} ends were told")
    return found


def _charges(db: Connection) -> list[str]:
    c = charges.c
    summed = {
        id_: int(total) for id_, total in db.execute(select(c.session_id, func.sum(c.amount)).group_by(c.session_id))
    }
    known = db.execute(select(sessions.c.session_id, sessions.c.charged)).all()
    wrong = [(id_, charged) for id_, charged in known if charged != summed.get(id_, 0)]
    return [f"{id_}: charged {charged}, items {summed.get(id_, 0)}" for id_, charged in wrong]


def _counters(db: Connection) -> list[str]:
    c = counters.c
    kept = {row.status: int(row[1]) for row in db.execute(select(c.status, func.sum(c["count"])).group_by(c.status))}
    counted = Counter(db.execute(select(sessions.c.status)).scalars())
    wrong = {status for status in kept.keys() | counted.keys() if kept.get(status, 0) != counted[status]}
    return [f"{status}: counted {counted[status]}, kept {kept.get(status, 0)}" for status in wrong]
