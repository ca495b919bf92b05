"""ListFailedSessions: what failed or timed out, of all owners."""

from __future__ import annotations

from kit.db.database import Database
from kit.paging import Page
from services.session.ports import Failed, FailedQuery, Failures


class ListFailedSessions:
    def __init__(self, db: Database, failures: Failures) -> None:
        self._db = db
        self._failures = failures

    async def __call__(self, query: FailedQuery, page: Page) -> tuple[list[Failed], int]:
        """A page, the last ended first, and how many there are."""
        return await self._db.read(lambda db: self._failures.page(db, query, page))
