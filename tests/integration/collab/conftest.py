"""Collab on a migrated database, served through kit's pipeline."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kit.db.database import Database, open_database
from kit.db.migrate import upgrade
from services.collab.tables import METADATA
from tests.integration.collab.stand import Stand
from tests.support.databases import PostgresCluster, drop_database, fresh_database

PACKAGE = "services.collab"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("collab") / "migrated.db"
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
        shutil.copy(migrated_file, tmp_path / "collab.db")
        return f"sqlite:///{tmp_path / 'collab.db'}"
    url: str = request.getfixturevalue("migrated_postgres")
    return url


@pytest.fixture
async def db(migrated_url: str) -> AsyncIterator[Database]:
    """A migrated database without a row."""
    database = open_database(migrated_url, schema="collab")
    await database.write(lambda conn: [conn.execute(table.delete()) for table in reversed(METADATA.sorted_tables)])
    yield database
    await database.close()


@pytest.fixture
async def fresh_db(database_url: str) -> AsyncIterator[Database]:
    """A database that was migrated for one test alone."""
    await asyncio.to_thread(upgrade, PACKAGE, database_url)
    database = open_database(database_url, schema="collab")
    yield database
    await database.close()


@pytest.fixture
async def stand(db: Database, tmp_path: Path) -> AsyncIterator[Stand]:
    """The served service, beside a session and a results service that know one session."""
    stand = Stand(db, tmp_path)
    await stand.start()
    yield stand
    await stand.stop()
