"""The inbox: a consumer applies an event only if its version is higher, and writes the version with the effect."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, tuple_, update

from kit.db.tables import KitTables
from kit.db.upsert import insert_for
from kit.times import Clock, SystemClock


class Inbox:
    def __init__(self, tables: KitTables, clock: Clock | None = None) -> None:
        self._table = tables.inbox
        self._clock = clock or SystemClock()

    def advance(self, connection: Connection, source: str, key: str, version: int) -> bool:
        """Whether `version` is news for (source, key); if so it is on record from now on."""
        t = self._table
        now = self._clock.now()
        statement = insert_for(connection, t).values(source=source, event_key=key, version=version, updated_at=now)
        statement = statement.on_conflict_do_update(
            index_elements=["source", "event_key"],
            set_={"version": version, "updated_at": now},
            where=t.c.version < version,
        )
        return connection.execute(statement).rowcount == 1

    def prune(self, connection: Connection, older: int, limit: int) -> int:
        """Forget up to `limit` versions that are older than `older` microseconds; how many rows it touched.

        Only for consumers to whose effects a second time makes no difference: a stream that was restored from long
        ago may tell of them again.
        """
        t = self._table
        now = self._clock.now()
        key = tuple_(t.c.source, t.c.event_key)
        rows = select(t.c.source, t.c.event_key).limit(limit)
        # What an older release wrote has no age; it counts from here.
        ageless = update(t).where(key.in_(rows.where(t.c.updated_at.is_(None)))).values(updated_at=now)
        old = delete(t).where(key.in_(rows.where(t.c.updated_at < now - older)))
        return connection.execute(ageless).rowcount + connection.execute(old).rowcount
