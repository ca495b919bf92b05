"""How a database would carry a statement out."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ClauseElement, Connection

from kit.db.database import Database


async def plan_of(db: Database, statement: ClauseElement) -> str:
    """The plan, with parameters as in earnest. It has an index wherever one can be used: PostgreSQL would not care to
    in small tables."""

    def explain(conn: Connection) -> str:
        asked: Any = statement.compile(dialect=conn.dialect)
        parameters = tuple(asked.params[name] for name in asked.positiontup)
        verb = "EXPLAIN QUERY PLAN" if conn.dialect.name == "sqlite" else "EXPLAIN"
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
            # Nor how the choice falls for the pages that earlier tests have left of a table.
            conn.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        return "\n".join(str(row) for row in conn.exec_driver_sql(f"{verb} {asked}", parameters))

    return await db.write(explain)
