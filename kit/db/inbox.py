"""The inbox: a consumer applies an event only if its version is higher, and writes the version with the effect."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.db.tables import KitTables
from kit.db.upsert import insert_for


class Inbox:
    def __init__(self, tables: KitTables) -> None:
        self._table = tables.inbox

    def advance(self, connection: Connection, source: str, key: str, version: int) -> bool:
        """Whether `version` is news for (source, key); if so it is on record from now on."""
        t = self._table
        statement = insert_for(connection, t).values(source=source, event_key=key, version=version)
        statement = statement.on_conflict_do_update(
            index_elements=["source", "event_key"],
            set_={"version": version},
            where=t.c.version < version,
        )
        return connection.execute(statement).rowcount == 1
