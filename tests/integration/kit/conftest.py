"""A broker and a database with the kit's tables for the suites of the bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from kit.db.database import Database, open_database
from tests.integration.kit.bus_rig import metadata
from tests.support.nats import NatsServer


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path)
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def made(path: Path) -> AsyncIterator[Database]:
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    opened = open_database(f"sqlite:///{path}", schema="bus")
    yield opened
    await opened.close()


@pytest.fixture
async def bus_db(tmp_path: Path) -> AsyncIterator[Database]:
    """A service's database."""
    async with made(tmp_path / "bus.db") as db:
        yield db


@pytest.fixture
async def other_db(tmp_path: Path) -> AsyncIterator[Database]:
    """Another one's."""
    async with made(tmp_path / "other.db") as db:
        yield db
