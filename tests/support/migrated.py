"""Databases that are migrated already: made once for a run, copied (SQLite) or emptied (PostgreSQL) for each test."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, insert, select

from kit.db.database import Database, open_database
from kit.db.migrate import schema_of, upgrade
from tests.support.databases import PostgresCluster, fresh_database


class Migrations:
    """Migrated databases by a service's package."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._urls: dict[str, str] = {}
        self._first: dict[str, dict[str, list[dict[str, Any]]]] = {}

    def file(self, package: str, target: Path) -> Path:
        """A migrated SQLite file of the test's own, put at `target`."""
        if package not in self._files:
            file = self._folder / f"{package}.db"
            upgrade(package, f"sqlite:///{file}")
            self._files[package] = file
        return Path(shutil.copy(self._files[package], target))

    def postgres(self, package: str, cluster: PostgresCluster) -> str:
        """The URL of a migrated PostgreSQL database that all tests share; `emptied` makes it as new."""
        if package not in self._urls:
            self._urls[package] = fresh_database(cluster)
            upgrade(package, self._urls[package])
        return self._urls[package]

    async def emptied(self, package: str, url: str) -> Database:
        """The database at `url` with just the rows that the migrations put there."""
        database = open_database(url, schema=schema_of(package))
        await self.empty(package, database)
        return database

    async def empty(self, package: str, database: Database) -> None:
        """The same for one that is open. The first one of a package must be as its migrations left it."""
        metadata: MetaData = importlib.import_module(f"{package}.tables").METADATA
        if package not in self._first:
            self._first[package] = await database.read(lambda conn: _rows(conn, metadata))
        first = self._first[package]
        await database.write(lambda conn: _reset(conn, metadata, first))


def _rows(conn: Connection, metadata: MetaData) -> dict[str, list[dict[str, Any]]]:
    return {t.name: [dict(row) for row in conn.execute(select(t)).mappings()] for t in metadata.sorted_tables}


def _reset(conn: Connection, metadata: MetaData, first: dict[str, list[dict[str, Any]]]) -> None:
    for table in reversed(metadata.sorted_tables):
        conn.execute(table.delete())
    for table in metadata.sorted_tables:
        if first[table.name]:
            conn.execute(insert(table), first[table.name])
