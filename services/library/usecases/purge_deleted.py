"""PurgeDeleted: what was deleted long ago and is used by no session is removed for good."""

from __future__ import annotations

from kit.db.database import Database
from kit.times import DAY, Clock
from services.library.ports import Contents, Documents

_AT_ONCE = 100


class PurgeDeleted:
    def __init__(
        self, db: Database, documents: Documents, contents: Contents, clock: Clock, *, after_days: int
    ) -> None:
        """The days leave a session that was at work on a document the time to complete and cite it."""
        self._db = db
        self._documents = documents
        self._contents = contents
        self._clock = clock
        self._after = after_days * DAY

    async def __call__(self) -> int:
        """How many documents were removed. Raises Unavailable."""
        before = self._clock.now() - self._after
        count = 0
        while removed := await self._db.write(lambda conn: self._documents.purge(conn, before, _AT_ONCE)):
            for document in removed:
                await self._contents.forget(document)
            count += len(removed)
        return count
