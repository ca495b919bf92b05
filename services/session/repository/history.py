"""Reading the history, and what is learnt from it."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, Executable, bindparam, select

from kit.db.prepared import Statement
from kit.db.upsert import insert_for
from services.session.domain import Entry, HistoryRow, Kind, Status
from services.session.repository.dialects import PerDialect
from services.session.tables import durations, history

_after = (
    select(history)
    .where(history.c.session_id == bindparam("id"), history.c.seq > bindparam("after"))
    .order_by(history.c.seq)
    .limit(bindparam("most"))
)
_mean = Statement(
    select(durations.c.mean).where(
        durations.c.session_type == bindparam("of_type"), durations.c.depth == bindparam("of_depth")
    )
)
_WINDOW = 20


def _build_learn(db: Connection) -> Executable:
    statement = insert_for(db, durations)
    weight = durations.c.count
    return statement.on_conflict_do_update(
        index_elements=["session_type", "depth"],
        set_={
            "mean": (durations.c.mean * weight + statement.excluded.mean) // (weight + 1),
            # Kept small, so that the mean goes on following what sessions take today.
            "count": weight + bindparam("step"),
        },
    )


_learn = PerDialect(_build_learn)


class HistoryRepository:
    """Rows in order of `seq`."""

    def after(self, db: Connection, session_id: str, seq: int, most: int) -> list[HistoryRow]:
        rows = db.execute(_after, {"id": session_id, "after": seq, "most": most})
        return [
            HistoryRow(
                seq=r.seq,
                at=r.at,
                entry=Entry(r.type, r.actor, orjson.loads(r.detail), Kind(r.kind)),
                status=Status(r.status),
                progress=r.progress,
                stage=r.stage,
            )
            for r in rows
        ]


class DurationRepository:
    """The running mean of the running time of completed sessions, by kind; of the last twenty or so."""

    def mean(self, db: Connection, session_type: str, depth: str) -> int | None:
        row = _mean.first(db, {"of_type": session_type, "of_depth": depth})
        return None if row is None else int(row[0])

    def learn(self, db: Connection, session_type: str, depth: str, running: int) -> None:
        seen = db.execute(_seen, {"of_type": session_type, "of_depth": depth}).scalar_one_or_none() or 0
        values = {"session_type": session_type, "depth": depth, "count": 1, "mean": running}
        db.execute(_learn(db), {**values, "step": 1 if seen < _WINDOW else 0})


_seen = select(durations.c.count).where(
    durations.c.session_type == bindparam("of_type"), durations.c.depth == bindparam("of_depth")
)
