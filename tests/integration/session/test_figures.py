"""What session looks up for metrics: by indexes, since its tables only grow."""

from __future__ import annotations

import pytest
from sqlalchemy import ClauseElement

from kit.db.database import Database
from services.session.repository import figures
from tests.support.plans import plan_of


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (figures.QUEUE, "sessions_queued"),
        (figures.LEASED, "sessions_leased"),
        (figures.UNSETTLED, "sessions_unsettled"),
        (figures.CREATIONS, "creations_unfinished"),
    ],
    ids=["queue", "leases", "unsettled", "creations"],
)
async def test_each_figure_is_read_by_its_index(db: Database, statement: ClauseElement, index: str) -> None:
    assert index in await plan_of(db, statement)
