"""Bring one service's database to its newest shape with Alembic.

python -m kit.db.migrate services.session --url sqlite:///path/session.db
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from kit.db.dsn import ENGINE_URL, connector
from kit.db.revision import check, check_tables, revision_of


def schema_of(package: str) -> str:
    """The PostgreSQL schema of a service's package."""
    return package.rpartition(".")[2]


def _alembic(connection: Connection, package: str, revision: str) -> str:
    module = importlib.import_module(package)
    config = Config()
    config.set_main_option("script_location", str(Path(str(module.__file__)).parent / "migrations"))
    config.attributes["connection"] = connection
    service = schema_of(package)
    found, newest = revision_of(connection, service), ScriptDirectory.from_config(config).get_current_head() or ""
    if found.isdecimal() and int(found) > int(newest):
        # A release that is taken back leaves the shape that the newer one made, and works on it.
        check(found, newest, service)
        return found
    if found:
        # All services number their revisions alike, so the number does not tell whose database this is.
        tables = importlib.import_module(f"{package}.tables")
        check_tables(connection, tables.METADATA.tables.keys() - tables.KIT.names, service)
    command.upgrade(config, revision)
    connection.commit()
    return revision_of(connection, service)


def _postgres(connection: Connection, package: str, revision: str) -> str:
    schema = schema_of(package)
    # Two migrations of one schema at a time would trip over each other.
    connection.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": f"prsm-{schema}"})
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    connection.execute(text(f'SET search_path TO "{schema}"'))
    connection.commit()
    return _alembic(connection, package, revision)


async def _upgrade_postgres(package: str, url: str, revision: str) -> str:
    engine = create_async_engine(ENGINE_URL, async_creator=connector(url))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_postgres, package, revision)
    finally:
        await engine.dispose()


def upgrade(package: str, url: str, *, revision: str = "head") -> str:
    """Run the migrations of `package` (its `migrations` folder) on the database at `url`; the revision that it is at
    then. Not on an event loop."""
    if url.startswith("postgresql"):
        return asyncio.run(_upgrade_postgres(package, url, revision))
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return _alembic(connection, package, revision)
    finally:
        engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", help="for example services.session")
    parser.add_argument("--url", required=True)
    arguments = parser.parse_args()
    upgrade(arguments.package, arguments.url)


if __name__ == "__main__":
    main()
