"""Billing on a migrated database, served through kit's pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.db.database import Database
from tests.integration.billing.stand import Stand


@pytest.fixture
def package() -> str:
    return "services.billing"


@pytest.fixture
async def stand(db: Database, tmp_path: Path) -> AsyncIterator[Stand]:
    """The served service; a new account starts with 20.00, and an owner may have three open holds."""
    stand = Stand(db, tmp_path, initial_grant="20.00", session_quota=3)
    await stand.start()
    yield stand
    await stand.stop()
