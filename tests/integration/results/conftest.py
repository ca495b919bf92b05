"""Results on a migrated database, served through kit's pipeline, with real rendering processes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kit.db.database import Database, open_database
from kit.db.migrate import upgrade
from services.results.rendering.pool import PoolSettings, RenderPool
from services.results.tables import METADATA
from tests.integration.results.stand import Stand
from tests.support.databases import PostgresCluster, drop_database, fresh_database

PACKAGE = "services.results"


@pytest.fixture(scope="session")
def results_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("results") / "migrated.db"
    upgrade(PACKAGE, f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def results_postgres(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database, to be emptied."""
    url = fresh_database(postgres_cluster)
    upgrade(PACKAGE, url)
    yield url
    drop_database(postgres_cluster, url)


@pytest.fixture
async def db(results_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database without a row."""
    shutil.copy(results_file, tmp_path / "results.db")
    database = open_database(f"sqlite:///{tmp_path / 'results.db'}", schema="results")
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest, results_file: Path, tmp_path: Path) -> str:
    """A migrated database; each test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(results_file, tmp_path / "either.db")
        return f"sqlite:///{tmp_path / 'either.db'}"
    url: str = request.getfixturevalue("results_postgres")
    return url


@pytest.fixture
async def either_db(either_url: str) -> AsyncIterator[Database]:
    """A migrated database without a row."""
    database = open_database(either_url, schema="results")
    await database.write(lambda conn: [conn.execute(table.delete()) for table in METADATA.sorted_tables])
    yield database
    await database.close()


@pytest.fixture
async def fresh_db(database_url: str) -> AsyncIterator[Database]:
    """A database that was migrated for one test alone."""
    await asyncio.to_thread(upgrade, PACKAGE, database_url)
    database = open_database(database_url, schema="results")
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def pool() -> AsyncIterator[RenderPool]:
    """One warm rendering process for the whole run."""
    pool = RenderPool(PoolSettings())
    await pool.start()
    yield pool
    await pool.close()


@pytest.fixture
async def stand(db: Database, pool: RenderPool, tmp_path: Path) -> AsyncIterator[Stand]:
    stand = Stand(db, pool, tmp_path)
    await stand.start()
    yield stand
    await stand.stop()
