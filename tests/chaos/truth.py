"""What the databases say, read with queries of the checker's own, while the stack runs or after it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from kit.db.dsn import ENGINE_URL, connector

T = TypeVar("T")
Row = SimpleNamespace
"""A row; its columns are attributes."""
SERVICES = ("session", "billing", "results", "collab", "library")
SCALE = 1_000_000
"""Micros in a unit of money and of quantities."""
ENDED = frozenset({"completed", "failed", "cancelled", "timeout"})
HELD = frozenset({"initializing", "running"})

_TABLES: Mapping[str, Mapping[str, str]] = {
    "session": {
        "sessions": "session_id, owner, session_type, engine, prompt, preferences, prices, held, time_limit, status, "
        "version, epoch, attempts, failures, worker_id, lease_until, progress, write_up, charged, released, running, "
        "result_epoch, result_hash, results, error, settled_at, finished_at, created_at",
        "history": "session_id, seq, at, type, actor, kind, detail, status, progress, stage",
        "stages": "session_id, stage, position, epoch, hash",
        "charges": "session_id, stage, item, position, quantity, unit_price, amount",
        "creations": "principal, key, session_id, state",
        "counters": "owner, session_type, status, count, held, charged",
        "lanes": "engine, owner, queued",
        "loads": "owner, active",
        "inbox": "source, event_key, version",
        "outbox": "id, event_id, event_type, event_key, published_at",
    },
    "billing": {
        "accounts": "user_id, available, held, open_holds, version",
        "holds": "hold_id, owner, amount, state, captured, released",
        "transactions": "transaction_id, user_id, version, kind, amount, session_id, available_after, held_after",
        "inbox": "source, event_key, version",
        "outbox": "id, event_id, event_type, event_key, published_at",
    },
    "results": {"artifacts": "session_id, epoch, hash, kind, owner", "outbox": "id, event_type, published_at"},
    "collab": {
        "comments": "comment_id, session_id, content, author_id, deleted_at, version",
        "shares": "share_id, session_id, shared_by, permissions, version",
        "outbox": "id, event_id, event_type, event_key, published_at",
    },
    "library": {
        "documents": "document_id, owner, session_id, deleted_at",
        "inbox": "source, event_key, version",
        "outbox": "id, event_type, published_at",
    },
}


@dataclass(slots=True)
class Truth:
    """All rows by service and table, and those of sessions by their id."""

    tables: Mapping[str, Mapping[str, Sequence[Row]]]
    sessions: Mapping[str, Row]
    history: Mapping[str, Sequence[Row]]
    """In order of `seq`; `detail` is JSON."""
    stages: Mapping[str, Sequence[Row]]
    charges: Mapping[str, Sequence[Row]]

    @property
    def successors(self) -> set[str]:
        """Sessions that operators started in the place of others."""
        rows = (row for rows in self.history.values() for row in rows if row.type == "session.requeued")
        return {successor for row in rows if (successor := row.detail.get("successor"))}

    def rows(self, service: str, table: str) -> Sequence[Row]:
        return self.tables[service][table]


async def read_truth(databases: Mapping[str, str]) -> Truth:
    """Session's database is read last: what others know of a session was committed there before."""
    tables = {}
    for service in sorted(SERVICES, key=lambda name: name == "session"):
        tables[service] = await _read(databases[service], service, _read_tables(service))
    session = tables["session"]
    for row in session["history"]:
        row.detail = json.loads(row.detail)
    for row in session["sessions"]:
        row.preferences, row.prices = json.loads(row.preferences), json.loads(row.prices)
        row.results = json.loads(row.results) if row.results else None
        row.error = json.loads(row.error) if row.error else None
    return Truth(
        tables=tables,
        sessions={row.session_id: row for row in session["sessions"]},
        history=_by_session(session["history"], "seq"),
        stages=_by_session(session["stages"], "position"),
        charges=_by_session(session["charges"], "position"),
    )


def _by_session(rows: Sequence[Row], order: str) -> Mapping[str, Sequence[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: getattr(row, order)):
        found[row.session_id].append(row)
    return found


def _read_tables(service: str) -> Callable[[Connection], dict[str, list[Row]]]:
    def read(conn: Connection) -> dict[str, list[Row]]:
        return {
            # Names and columns are constants of this module.
            table: [Row(**row) for row in conn.execute(text(f"SELECT {columns} FROM {table}")).mappings()]
            for table, columns in _TABLES[service].items()
        }

    return read


async def _read(url: str, schema: str, fn: Callable[[Connection], T]) -> T:
    """On one snapshot."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true", poolclass=NullPool)
        try:
            with engine.connect() as conn:
                conn.exec_driver_sql("BEGIN")
                return fn(conn)
        finally:
            engine.dispose()
    options: dict[str, Any] = {"timeout": 10, "command_timeout": 120, "server_settings": {"search_path": schema}}
    remote = create_async_engine(ENGINE_URL, async_creator=connector(url, **options), poolclass=NullPool)
    try:
        async with remote.connect() as opened:
            snapshot = await opened.execution_options(isolation_level="REPEATABLE READ")
            return await snapshot.run_sync(fn)
    finally:
        await remote.dispose()
