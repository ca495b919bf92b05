"""DiscardInputs: what was stored for a session that never came to be."""

from __future__ import annotations

from kit.db.database import Database
from services.library.ports import Contents, Uses


class DiscardInputs:
    def __init__(self, db: Database, uses: Uses, contents: Contents) -> None:
        self._db = db
        self._uses = uses
        self._contents = contents

    async def __call__(self, session_id: str, owner: str) -> None:
        """Repeating it changes nothing; a preparation that comes later is refused."""
        removed = await self._db.write(lambda conn: self._uses.discard(conn, session_id, owner))
        for document in removed:
            await self._contents.forget(document)
