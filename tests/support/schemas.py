"""What a database's schema is, to compare one that was migrated with one made from the declared tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, inspect

from kit.db.migrate import schema_of


def shape(conn: Connection, package: str) -> dict[str, Any]:
    """Tables by name: columns with type, nullability and default, keys, indexes, checks."""
    inspector = inspect(conn)
    schema = schema_of(package) if conn.dialect.name == "postgresql" else None
    found = {}
    for name in inspector.get_table_names(schema=schema):
        if name == "alembic_version":
            continue
        found[name] = {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"], c["default"])
                for c in inspector.get_columns(name, schema=schema)
            },
            "key": inspector.get_pk_constraint(name, schema=schema)["constrained_columns"],
            "indexes": sorted(
                (str(i["name"]), tuple(map(str, i["column_names"])), bool(i["unique"]), str(_where(i)))
                for i in inspector.get_indexes(name, schema=schema)
            ),
            "uniques": sorted(tuple(u["column_names"]) for u in inspector.get_unique_constraints(name, schema=schema)),
            "checks": sorted(
                (str(c["name"]), c["sqltext"]) for c in inspector.get_check_constraints(name, schema=schema)
            ),
            "foreign": sorted(
                (tuple(f["constrained_columns"]), f["referred_table"], tuple(f["referred_columns"]))
                for f in inspector.get_foreign_keys(name, schema=schema)
            ),
        }
    return found


def _where(index: Any) -> object:
    options = index.get("dialect_options", {})
    return options.get("postgresql_where", options.get("sqlite_where", ""))
