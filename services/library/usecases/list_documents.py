"""ListDocuments: the caller's library, newest first."""

from __future__ import annotations

from kit.db.database import Database
from kit.paging import Page
from services.library.domain import Document
from services.library.ports import Documents


class ListDocuments:
    def __init__(self, db: Database, documents: Documents) -> None:
        self._db = db
        self._documents = documents

    async def __call__(self, owner: str, page: Page) -> tuple[list[Document], int]:
        """The page and how many documents the library holds."""
        return await self._db.read(lambda conn: self._documents.listed(conn, owner, page))
