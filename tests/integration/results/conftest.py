"""Results on a migrated database, served through kit's pipeline, with real rendering processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.db.database import Database
from services.results.rendering.pool import PoolSettings, RenderPool
from tests.integration.results.replicas import Replicas
from tests.integration.results.stand import Stand


@pytest.fixture
def package() -> str:
    return "services.results"


@pytest.fixture(scope="session")
async def pool() -> AsyncIterator[RenderPool]:
    """One warm rendering process for the whole run."""
    pool = RenderPool(PoolSettings())
    await pool.start()
    yield pool
    await pool.close()


@pytest.fixture
async def stand(file_db: Database, pool: RenderPool, tmp_path: Path) -> AsyncIterator[Stand]:
    stand = Stand(file_db, pool, tmp_path)
    await stand.start()
    yield stand
    await stand.stop()


@pytest.fixture
def replicas(file_db: Database, tmp_path: Path) -> Replicas:
    return Replicas(file_db, tmp_path)
