"""What billing looks up for metrics: by an index, since the table of holds only grows."""

from __future__ import annotations

from kit.db.database import Database
from services.billing import readings
from tests.support.plans import plan_of


async def test_open_holds_are_found_by_their_index(db: Database) -> None:
    assert "holds_open" in await plan_of(db, readings.OPEN_HOLDS)
