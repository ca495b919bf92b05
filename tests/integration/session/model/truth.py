"""What stands in the database and in billing's books, held against the model and against itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

import orjson
from sqlalchemy import Connection, select

from kit.db.database import Database
from prsm.events.v1 import events_pb2
from services.session.tables import KIT, charges, counters, creations, history, lanes, loads, sessions, stages
from tests.integration.session.model.figures import HELD, NEXT, TERMINAL
from tests.integration.session.model.world import World
from tests.integration.session.outside import Books
from tests.support.modelling import agreed

Rows = list[Mapping[str, Any]]
_TABLES = (sessions, history, charges, counters, lanes, loads, creations, stages, KIT.outbox)
_LASTING = ("updated_at", "version", "settled_at", "settle_after", "successor")
"""What still moves in the row of a session that has ended: notes, billing's receipt, another one in its place."""
_PUBLISHED = frozenset(f"session.{status}" for status in (*NEXT, "created", "resumed")) - {"session.None"}


async def read(db: Database, *, whole: bool) -> dict[str, Rows]:
    """By name, every table that has to do with sessions; else that of the sessions alone."""
    tables = _TABLES if whole else (sessions,)
    return await db.read(lambda conn: {table.name: _all(conn, table) for table in tables})


def _all(conn: Connection, table: Any) -> Rows:
    return [cast(Mapping[str, Any], row._mapping) for row in conn.execute(select(table))]


class Ends:
    """Remembers every end that was seen: terminal states never change."""

    def __init__(self) -> None:
        self._seen: dict[str, bytes] = {}

    def check(self, rows: Rows) -> None:
        for row in rows:
            if row["status"] in TERMINAL:
                facts = orjson.dumps({str(name): value for name, value in row.items() if name not in _LASTING})
                first = self._seen.setdefault(row["session_id"], facts)
                agreed(first == facts, f"an end changed: {first!r}, then {facts!r}")


def compare(world: World, books: Books, rows: Rows) -> None:
    """Every session is where the model has it, and billing has what it should."""
    agreed({row["session_id"] for row in rows} == world.sessions.keys(), "other sessions than the model's")
    for row in rows:
        expected = world.sessions[row["session_id"]].facts()
        found = _facts(row)
        wrong = {name: (value, found[name]) for name, value in expected.items() if found[name] != value}
        agreed(not wrong, f"{row['session_id']}: expected and found differ in {wrong}")
    agreed(books.settled == world.told, f"billing was told {books.settled}, the model says {world.told}")
    held = Counter({owner: 0 for owner, _ in books.holds.values()})
    for hold_id, (owner, amount) in books.holds.items():
        held[owner] += amount if hold_id not in books.settled else 0
    for owner, amount in held.items():
        agreed(amount == sum(world.holds(owner)), f"billing holds {amount} for {owner}, not {world.holds(owner)}")


def _facts(row: Mapping[str, Any]) -> dict[str, object]:
    opened = orjson.loads(row["open_stage"]) if row["open_stage"] else None
    return {
        **row,
        "write_up": bool(row["write_up"]),
        "leased": row["lease_until"] is not None,
        "started": row["started_at"] is not None,
        "finished": row["finished_at"] is not None,
        "settled": row["settled_at"] is not None,
        "result": (row["result_epoch"], row["result_hash"]),
        "stage": opened and (opened["stage"], opened["epoch"], opened["reserved"], opened["usage"]),
    }


def audit(world: World, found: dict[str, Rows]) -> None:
    """What belongs to the rows says the same as they do."""
    _histories(world, found)
    _moments(found["sessions"])
    _money(world, found)
    _events(found)
    _counters(found["sessions"], found)
    open_creations = {row["session_id"]: row["state"] for row in found["creations"] if row["state"] != "done"}
    expected = {c.session_id: c.state for c in world.creations if c.state != "done"}
    agreed(open_creations == expected, f"creations under way are {open_creations}, not {expected}")
    done = {(c["principal"], c["key"]): c["session_id"] for c in found["creations"] if c["state"] == "done"}
    kept = {at: c.session_id for at, c in world.keyed.items() if c.state == "done"}
    agreed(done == kept, f"keys stand for {done}, not {kept}")


def _histories(world: World, found: dict[str, Rows]) -> None:
    by_session: dict[str, Rows] = {}
    for entry in sorted(found["history"], key=lambda row: int(row["seq"])):
        by_session.setdefault(entry["session_id"], []).append(entry)
    agreed(by_session.keys() <= world.sessions.keys(), "a history of nothing")
    for session_id, session in world.sessions.items():
        entries = by_session[session_id]
        agreed([e["seq"] for e in entries] == list(range(1, len(entries) + 1)), "the history has gaps")
        agreed([e["type"] for e in entries] == session.history, f"history of {session_id}: {session.history}")
        moments = [e["at"] for e in entries]
        agreed(moments == sorted(moments), "the history goes back in time")
        shown = [e["progress"] for e in entries]
        agreed(shown == sorted(shown) and shown[-1] <= 100, "progress goes back")
        before: str | None = None
        for entry in entries:
            status = entry["status"]
            agreed(status == before or status in NEXT[before], f"went from {before} to {status}")
            before = status
        captures = [e for e in entries if e["type"] == "resource.captured"]
        agreed(len(captures) == (before in TERMINAL), "one settlement for each end")


def _moments(rows: Rows) -> None:
    """Whatever somebody did to the clock, nothing began after it ended."""
    for row in rows:
        moments = [row[name] for name in ("created_at", "started_at", "finished_at", "updated_at")]
        passed = [moment for moment in moments if moment is not None]
        agreed(passed == sorted(passed), f"created, started, ended and changed at {moments}")


def _money(world: World, found: dict[str, Rows]) -> None:
    paid: dict[str, dict[tuple[str, str], int]] = {id_: {} for id_ in world.sessions}
    for charge in found["charges"]:
        paid[charge["session_id"]][charge["stage"], charge["item"]] = charge["amount"]
    for session_id, session in world.sessions.items():
        agreed(paid[session_id] == session.paid, f"charged {paid[session_id]}, not {session.paid}")
    done: dict[str, dict[str, tuple[int, str]]] = {id_: {} for id_ in world.sessions}
    for stage in sorted(found["stages"], key=lambda row: int(row["position"])):
        done[stage["session_id"]][stage["stage"]] = (stage["epoch"], stage["hash"])
    for session_id, session in world.sessions.items():
        agreed(list(done[session_id].items()) == list(session.done.items()), "other checkpoints than the model's")


def _events(found: dict[str, Rows]) -> None:
    """Each change of status was made known once, in order, under the version of its last row."""
    told: dict[str, list[events_pb2.SessionChanged]] = {}
    for row in sorted(found["outbox"], key=lambda row: int(row["id"])):
        told.setdefault(row["event_key"], []).append(events_pb2.SessionChanged.FromString(row["payload"]))
    for row in found["sessions"]:
        events = told[row["session_id"]]
        own = [e for e in found["history"] if e["session_id"] == row["session_id"] and e["type"] in _PUBLISHED]
        versions = {e["seq"]: e["type"] for e in own}
        versions[3] = "session.created"
        del versions[1]
        expected = [(version, versions[version]) for version in sorted(versions)]
        agreed([(e.version, e.type) for e in events] == expected, f"published {events}, not {expected}")
        ended = [e for e in events if e.HasField("settlement")]
        agreed(len(ended) == (row["status"] in TERMINAL), "one settlement published for each end")
        for event in ended:
            figures = (event.settlement.captured_micros, event.settlement.released_micros)
            agreed(figures == (row["charged"], row["released"]), "another settlement was published")


def _counters(rows: Rows, found: dict[str, Rows]) -> None:
    kept = {(c["owner"], c["status"]): (c["count"], c["held"], c["charged"]) for c in found["counters"] if c["count"]}
    counted: dict[tuple[str, str], tuple[int, int, int]] = {}
    for row in rows:
        n, held, spent = counted.get((row["owner"], row["status"]), (0, 0, 0))
        held_now = 0 if row["status"] in TERMINAL else row["held"]
        counted[row["owner"], row["status"]] = (n + 1, held + held_now, spent + row["charged"])
    agreed(kept == counted, f"counters say {kept}, the rows {counted}")
    gone = [c for c in found["counters"] if not c["count"] and (c["held"] or c["charged"])]
    agreed(not gone, f"counters of nothing: {gone}")
    waiting = Counter((row["engine"], row["owner"]) for row in rows if row["status"] == "queued")
    queued = {(lane["engine"], lane["owner"]): lane["queued"] for lane in found["lanes"] if lane["queued"]}
    agreed(queued == waiting, f"lanes say {queued}, the rows {waiting}")
    working = Counter(row["owner"] for row in rows if row["status"] in HELD)
    active = {load["owner"]: load["active"] for load in found["loads"] if load["active"]}
    agreed(active == working, f"loads say {active}, the rows {working}")
