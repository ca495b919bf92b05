"""UpdateComment: what an own comment says, or whether any is resolved."""

from __future__ import annotations

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import Forbidden
from kit.ids import is_uuid
from kit.levels import Level
from kit.times import Clock
from services.collab.domain import Comment, CommentChange
from services.collab.errors import CommentNotFound
from services.collab.ports import Announcer, Comments, Gate
from services.collab.usecases.add_comment import comment_change


class UpdateComment:
    def __init__(self, db: Database, comments: Comments, gate: Gate, announcer: Announcer, clock: Clock) -> None:
        self._db = db
        self._comments = comments
        self._gate = gate
        self._announcer = announcer
        self._clock = clock

    async def __call__(
        self, principal: Principal, needed: Level, session_id: str, comment_id: str, change: CommentChange
    ) -> Comment:
        """Raises SessionNotFound, SessionNotAccessible, CommentNotFound, Unavailable, and Forbidden
        when somebody else's words are to be changed."""
        await self._gate.require(principal, session_id, needed)
        if not is_uuid(comment_id):
            raise CommentNotFound()
        now = self._clock.now()
        author = principal.user_id if change.is_the_authors else None

        def update(conn: Connection) -> Comment:
            changed = self._comments.change(conn, session_id, comment_id, change, now, author)
            if changed is None:
                if self._comments.get(conn, session_id, comment_id) is None:
                    raise CommentNotFound()
                raise Forbidden("Only its author can change what a comment says")
            self._announcer.announce(conn, comment_change("comment.updated", changed, principal.user_id, now))
            return changed

        return await self._db.write(update)
