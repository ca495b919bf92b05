"""A town on SQLite and one on PostgreSQL, after a busy history."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.integration.replay.town import METADATA, Town
from tests.support.migrated import Migrations

SEED = 1


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, migrations: Migrations, tmp_path: Path) -> dict[str, str]:
    """A migrated database for each service."""
    if request.param == "sqlite":
        files = {name: migrations.file(f"services.{name}", tmp_path / f"{name}.db") for name in METADATA}
        return {name: f"sqlite:///{file}" for name, file in files.items()}
    cluster = request.getfixturevalue("postgres_cluster")
    return {name: migrations.postgres(f"services.{name}", cluster) for name in METADATA}


@pytest.fixture
async def town(urls: Mapping[str, str], migrations: Migrations, tmp_path: Path) -> AsyncIterator[Town]:
    """The services after a busy history; nobody has heard of anything yet."""
    databases = {name: await migrations.emptied(f"services.{name}", url) for name, url in urls.items()}
    for name in METADATA:
        (tmp_path / name).mkdir()
    made = Town(databases, tmp_path)
    await made.start()
    try:
        await made.live(random.Random(SEED))
        yield made
    finally:
        await made.stop()
        for database in databases.values():
            await database.close()
