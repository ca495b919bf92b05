"""The index of finished documents in SQL: which there are, when they were last used, and who is making one just now.

A row is there before its object, so that no object is forgotten; an object is removed before its row. Moments are in
microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, or_, select, update

from kit.db.lapses import lapsed
from kit.db.upsert import insert_for
from services.results.tables import renditions as t


@dataclass(frozen=True, slots=True)
class Row:
    """`size` is in bytes; 0 is that of one that was begun and never finished."""

    key: str
    format: str
    size: int
    used_at: int


class RenditionIndex:
    """Each method works in the transaction of its connection."""

    def claim(self, conn: Connection, key: str, format: str, holder: str, now: int, until: int) -> int | None:
        """Take the right to make a document, and say how many bytes of it are on record; None while somebody else has
        it. A claim that ran out counts for nothing: its holder died."""
        statement = insert_for(conn, t).values(
            key=key, format=format, size=0, used_at=now, holder=holder, held_until=until
        )
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"holder": holder, "held_until": until, "used_at": now},
            where=or_(t.c.holder.in_(("", holder)), lapsed(t.c.held_until, now, until - now)),
        )
        if conn.execute(statement).rowcount != 1:
            return None
        return int(conn.execute(select(t.c.size).where(t.c.key == key)).scalar_one())

    def extend(self, conn: Connection, key: str, holder: str, until: int) -> None:
        conn.execute(update(t).where(t.c.key == key, t.c.holder == holder).values(held_until=until))

    def is_claimed(self, conn: Connection, key: str, now: int, lease: int) -> bool:
        """Whether somebody is making it; `lease` is how long a claim lasts."""
        held = select(t.c.key).where(t.c.key == key, t.c.holder != "", ~lapsed(t.c.held_until, now, lease))
        return conn.execute(held).first() is not None

    def finish(self, conn: Connection, key: str, holder: str, size: int) -> None:
        """It is stored, with so many bytes."""
        conn.execute(update(t).where(t.c.key == key, t.c.holder == holder).values(holder="", size=size))

    def release(self, conn: Connection, key: str, holder: str) -> None:
        """It was not made; nothing is left of the attempt."""
        conn.execute(delete(t).where(t.c.key == key, t.c.holder == holder, t.c.size == 0))
        conn.execute(update(t).where(t.c.key == key, t.c.holder == holder).values(holder=""))

    def use(self, conn: Connection, row: Row) -> None:
        """It was handed out; one that nobody knew of is known from now on."""
        statement = insert_for(conn, t).values(
            key=row.key, format=row.format, size=row.size, used_at=row.used_at, holder="", held_until=0
        )
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["key"], set_={"used_at": row.used_at, "size": row.size}, where=t.c.used_at < row.used_at
            )
        )

    def total(self, conn: Connection) -> tuple[int, int]:
        """How many there are, and their bytes."""
        count, size = conn.execute(select(func.count(), func.coalesce(func.sum(t.c.size), 0)).select_from(t)).one()
        return int(count), int(size)

    def least_used(self, conn: Connection, *, before: int, now: int, lease: int, limit: int) -> Sequence[Row]:
        """Last used before a moment, the longest ago first; none that somebody is making."""
        free = or_(t.c.holder == "", lapsed(t.c.held_until, now, lease))
        found = select(t.c.key, t.c.format, t.c.size, t.c.used_at).where(t.c.used_at < before, free)
        return [Row(*row) for row in conn.execute(found.order_by(t.c.used_at, t.c.key).limit(limit))]

    def forget(self, conn: Connection, rows: Iterable[Row]) -> None:
        """Unless they were used or begun anew since."""
        for row in rows:
            conn.execute(delete(t).where(t.c.key == row.key, t.c.used_at == row.used_at))

    def known(self, conn: Connection, keys: Iterable[str]) -> frozenset[str]:
        """Those of the keys that have a row."""
        return frozenset(conn.execute(select(t.c.key).where(t.c.key.in_(list(keys)))).scalars())
