"""The library on a migrated database, served through kit's pipeline, with real parser processes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kit.db.database import Database, open_database
from kit.db.migrate import upgrade
from services.library.parsing.document import ParseLimits
from services.library.parsing.pool import ParserPool
from services.library.tables import METADATA
from tests.integration.library.stand import Stand
from tests.support.databases import PostgresCluster, drop_database, fresh_database

PACKAGE = "services.library"


@pytest.fixture(scope="session")
def library_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("library") / "migrated.db"
    upgrade(PACKAGE, f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def library_postgres(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database, to be emptied."""
    url = fresh_database(postgres_cluster)
    upgrade(PACKAGE, url)
    yield url
    drop_database(postgres_cluster, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest, library_file: Path, tmp_path: Path) -> str:
    """A migrated database; each test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(library_file, tmp_path / "library.db")
        return f"sqlite:///{tmp_path / 'library.db'}"
    url: str = request.getfixturevalue("library_postgres")
    return url


@pytest.fixture
async def db(either_url: str) -> AsyncIterator[Database]:
    """A migrated database without a row."""
    database = open_database(either_url, schema="library")
    await database.write(lambda conn: [conn.execute(table.delete()) for table in METADATA.sorted_tables])
    yield database
    await database.close()


@pytest.fixture
async def file_db(library_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database without a row, for what does not touch SQL."""
    shutil.copy(library_file, tmp_path / "file.db")
    database = open_database(f"sqlite:///{tmp_path / 'file.db'}", schema="library")
    yield database
    await database.close()


@pytest.fixture
async def fresh_db(database_url: str) -> AsyncIterator[Database]:
    """A database that was migrated for one test alone."""
    await asyncio.to_thread(upgrade, PACKAGE, database_url)
    database = open_database(database_url, schema="library")
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def pool() -> AsyncIterator[ParserPool]:
    """Real parser processes for the whole run."""
    limits = ParseLimits(seconds=30.0, file_bytes=2 * 1024 * 1024, unpacked_bytes=8 * 1024 * 1024)
    async with ParserPool(size=2, limits=limits) as pool:
        yield pool


@pytest.fixture
async def stand(db: Database, pool: ParserPool, tmp_path: Path) -> AsyncIterator[Stand]:
    """The served library on each database; bodies of up to 2 MiB."""
    stand = Stand(db, pool, tmp_path, upload_mb=2)
    await stand.start()
    yield stand
    await stand.stop()


@pytest.fixture
async def local(file_db: Database, pool: ParserPool, tmp_path: Path) -> AsyncIterator[Stand]:
    """The served library on SQLite alone."""
    stand = Stand(file_db, pool, tmp_path, upload_mb=2)
    await stand.start()
    yield stand
    await stand.stop()
