"""Databases for the services' suites. Each suite says in a fixture `package` whose migrations it means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.db.database import Database, open_database
from kit.db.migrate import schema_of, upgrade
from tests.support.migrated import Migrations


@pytest.fixture(scope="session")
def migrations(tmp_path_factory: pytest.TempPathFactory) -> Migrations:
    """What was migrated in this run."""
    return Migrations(tmp_path_factory.mktemp("migrated"))


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, package: str, migrations: Migrations, tmp_path: Path) -> str:
    """A migrated database; each test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{migrations.file(package, tmp_path / 'migrated.db')}"
    return migrations.postgres(package, request.getfixturevalue("postgres_cluster"))


@pytest.fixture
async def db(migrated_url: str, package: str, migrations: Migrations) -> AsyncIterator[Database]:
    """A migrated database as new, on each of the two."""
    database = await migrations.emptied(package, migrated_url)
    yield database
    await database.close()


@pytest.fixture
def migrated_file(package: str, migrations: Migrations, tmp_path: Path) -> Path:
    """A migrated SQLite file as new, the test's own."""
    return migrations.file(package, tmp_path / "file.db")


@pytest.fixture
async def file_db(migrated_file: Path, package: str) -> AsyncIterator[Database]:
    """A migrated SQLite database as new, for what does not touch SQL."""
    database = open_database(f"sqlite:///{migrated_file}", schema=schema_of(package))
    yield database
    await database.close()


@pytest.fixture
async def fresh_db(database_url: str, package: str) -> AsyncIterator[Database]:
    """A database that was migrated for one test alone."""
    await asyncio.to_thread(upgrade, package, database_url)
    database = open_database(database_url, schema=schema_of(package))
    yield database
    await database.close()
