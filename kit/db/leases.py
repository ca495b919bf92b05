"""Leases by name: of several replicas of a process, one at a time does a job (the relay, a sweeper)."""

from __future__ import annotations

from sqlalchemy import Connection, delete, or_, update

from kit.db.lapses import lapsed
from kit.db.tables import KitTables
from kit.db.upsert import insert_for


class Leases:
    def __init__(self, tables: KitTables) -> None:
        self._table = tables.leases

    def take(self, connection: Connection, name: str, holder: str, now: int, until: int) -> bool:
        """Take or extend the lease; False while somebody else holds it. One that lasts longer than any of this length
        can was taken before the clock was set back, and counts as run out."""
        t = self._table
        statement = insert_for(connection, t).values(name=name, holder=holder, until=until)
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "until": until},
            where=or_(t.c.holder == holder, lapsed(t.c.until, now, until - now)),
        )
        return connection.execute(statement).rowcount == 1

    def keep(self, connection: Connection, name: str, holder: str) -> bool:
        """Whether the holder has it still: nobody took it since, however late it is, nor will before this transaction
        ends."""
        t = self._table
        mine = update(t).where(t.c.name == name, t.c.holder == holder).values(holder=holder)
        return connection.execute(mine).rowcount == 1

    def give_back(self, connection: Connection, name: str, holder: str) -> None:
        t = self._table
        connection.execute(delete(t).where(t.c.name == name, t.c.holder == holder))
