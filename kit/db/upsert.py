"""`INSERT ... ON CONFLICT`, which both dialects have under the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert as _postgres_insert
from sqlalchemy.dialects.sqlite import insert as _sqlite_insert

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert


def insert_for(connection: Connection, table: Table) -> Insert:
    """An insert with `on_conflict_do_nothing` and `on_conflict_do_update` for the connection's dialect."""
    if connection.dialect.name == "sqlite":
        return _sqlite_insert(table)  # type: ignore[return-value]  # same methods, no common type
    return _postgres_insert(table)
