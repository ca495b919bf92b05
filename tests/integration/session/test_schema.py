"""The migrations make the tables that are declared."""

from __future__ import annotations

from kit.db.database import Database
from services.session.tables import METADATA
from tests.support.schemas import shape


async def test_migrated_schema_is_the_declared_one(fresh_db: Database) -> None:
    migrated = await fresh_db.read(lambda conn: shape(conn, "services.session"))
    assert {"sessions", "history", "creations", "counters", "lanes", "outbox"} <= migrated.keys()
    await fresh_db.write(METADATA.drop_all)
    await fresh_db.write(METADATA.create_all)
    assert await fresh_db.read(lambda conn: shape(conn, "services.session")) == migrated
