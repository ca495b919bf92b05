"""ListComments: a session's comments, newest first."""

from __future__ import annotations

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.levels import Level
from kit.paging import Page
from services.collab.domain import Comment, CommentType
from services.collab.ports import Comments, Gate


class ListComments:
    def __init__(self, db: Database, comments: Comments, gate: Gate) -> None:
        self._db = db
        self._comments = comments
        self._gate = gate

    async def __call__(
        self, principal: Principal, needed: Level, session_id: str, page: Page, comment_type: CommentType | None
    ) -> tuple[list[Comment], int]:
        """The page and how many there are. Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        await self._gate.require(principal, session_id, needed)
        return await self._db.read(lambda conn: self._comments.page(conn, session_id, page, comment_type))
