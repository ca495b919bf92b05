"""The library on a migrated database, served through kit's pipeline, with real parser processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.db.database import Database
from services.library.parsing.document import ParseLimits
from services.library.parsing.pool import ParserPool
from tests.integration.library.stand import Stand


@pytest.fixture
def package() -> str:
    return "services.library"


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
