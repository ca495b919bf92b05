"""What takes long to compile is compiled once for a process, whoever uses it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, Integer, MetaData, Table, select
from sqlalchemy.engine.interfaces import CacheStats

from kit.db.database import open_database
from kit.rpc.validation import RequestValidator

_TABLE = Table("compiled_once", MetaData(), Column("id", Integer))


async def test_a_statement_serves_every_connection_to_sqlite(tmp_path: Path) -> None:
    def asked(connection: Connection) -> CacheStats:
        result = connection.execute(select(_TABLE.c.id))
        assert result.all() == []
        return result.context.cache_hit

    found = []
    for name in ("one", "two"):
        db = open_database(f"sqlite:///{tmp_path / name}.db", schema="any")
        await db.write(_TABLE.create)
        found += [await db.write(asked), await db.read(asked), await db.scan(asked)]
        await db.close()
    assert found == [CacheStats.CACHE_MISS, *[CacheStats.CACHE_HIT] * 5]


def test_the_rules_of_messages_serve_every_pipeline() -> None:
    assert RequestValidator()._validator is RequestValidator()._validator
