"""DeleteComment: an own comment, or any for the session's owner. Its replies stay."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import Forbidden
from kit.ids import is_uuid
from kit.levels import Level
from kit.times import Clock
from services.collab.errors import CommentNotFound
from services.collab.ports import Announcer, Comments, Gate
from services.collab.usecases.add_comment import comment_change


class DeleteComment:
    def __init__(self, db: Database, comments: Comments, gate: Gate, announcer: Announcer, clock: Clock) -> None:
        self._db = db
        self._comments = comments
        self._gate = gate
        self._announcer = announcer
        self._clock = clock

    async def __call__(self, principal: Principal, needed: Level, session_id: str, comment_id: str) -> None:
        """Raises SessionNotFound, SessionNotAccessible, CommentNotFound, Forbidden, Unavailable."""
        access = await self._gate.require(principal, session_id, needed)
        if not is_uuid(comment_id):
            raise CommentNotFound()
        now = self._clock.now()
        author = None if access.level >= Level.OWNER else principal.user_id

        def delete(conn: Connection) -> None:
            deleted = self._comments.delete(conn, session_id, comment_id, now, author)
            if deleted is None:
                if self._comments.get(conn, session_id, comment_id) is None:
                    raise CommentNotFound()
                raise Forbidden("Only its author and the session's owner can delete a comment")
            self._announcer.announce(conn, comment_change("comment.deleted", deleted, principal.user_id, now))

        await self._db.write(delete)
