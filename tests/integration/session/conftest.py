"""Session on a migrated database, served through kit's pipeline."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kit.db.database import Database, open_database
from kit.db.migrate import upgrade
from services.session.tables import METADATA, virtual_clock
from tests.integration.session.stand import Stand
from tests.support.databases import PostgresCluster, drop_database, fresh_database

PACKAGE = "services.session"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("session") / "migrated.db"
    upgrade(PACKAGE, f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database, to be emptied."""
    url = fresh_database(postgres_cluster)
    upgrade(PACKAGE, url)
    yield url
    drop_database(postgres_cluster, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path) -> str:
    """A migrated database; each test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(migrated_file, tmp_path / "session.db")
        return f"sqlite:///{tmp_path / 'session.db'}"
    url: str = request.getfixturevalue("migrated_postgres")
    return url


@pytest.fixture
async def db(migrated_url: str) -> AsyncIterator[Database]:
    """A migrated database without a row but the virtual clock's."""
    database = open_database(migrated_url, schema="session")
    tables = [table for table in METADATA.sorted_tables if table is not virtual_clock]
    await database.write(lambda conn: [conn.execute(table.delete()) for table in tables])
    await database.write(lambda conn: conn.execute(virtual_clock.update().values(virtual_time=0)))
    yield database
    await database.close()


@pytest.fixture
async def fresh_db(database_url: str) -> AsyncIterator[Database]:
    """A database that was migrated for one test alone."""
    await asyncio.to_thread(upgrade, PACKAGE, database_url)
    database = open_database(database_url, schema="session")
    yield database
    await database.close()


@pytest.fixture
async def stand(db: Database, tmp_path: Path) -> AsyncIterator[Stand]:
    """The served service."""
    stand = Stand(db, tmp_path)
    await stand.start()
    yield stand
    await stand.stop()
