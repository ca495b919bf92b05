"""Worlds for tests: the whole product in one process, each with databases of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from cli.stack.environment import SERVICES
from kit.db.migrate import upgrade
from tests.chaos.world import World
from tests.support.databases import PostgresCluster, fresh_database
from tests.support.migrated import Migrations

Make = Callable[[str], World]
"""Makes a world on `sqlite` or `postgresql`."""


@pytest.fixture(scope="session")
def world_files(tmp_path_factory: pytest.TempPathFactory) -> Migrations:
    """Migrated SQLite files, made once."""
    return Migrations(tmp_path_factory.mktemp("worlds"))


@pytest.fixture(scope="session")
def world_template(postgres_cluster: PostgresCluster) -> str:
    """The name of a PostgreSQL database that every service has migrated."""
    url = fresh_database(postgres_cluster)
    for service in SERVICES:
        upgrade(f"services.{service}", url)
    return url.split("?")[0].rpartition("/")[2]


@pytest.fixture
def make_world(tmp_path: Path, world_files: Migrations, postgres_cluster: PostgresCluster, world_template: str) -> Make:
    """See `Make`."""

    def make(database: str) -> World:
        url = ""
        if database == "postgresql":
            name = f"world_{uuid4().hex}"
            postgres_cluster.psql(f"CREATE DATABASE {name} TEMPLATE {world_template};")
            url = postgres_cluster.url(name)
        return World(tmp_path, world_files, database_url=url)

    return make
