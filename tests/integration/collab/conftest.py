"""Collab on a migrated database, served through kit's pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.db.database import Database
from tests.integration.collab.stand import Stand


@pytest.fixture
def package() -> str:
    return "services.collab"


@pytest.fixture
async def stand(db: Database, tmp_path: Path) -> AsyncIterator[Stand]:
    """The served service, beside a session and a results service that know one session."""
    stand = Stand(db, tmp_path)
    await stand.start()
    yield stand
    await stand.stop()
