"""AddComment: a comment on a session or something in it, or a reply."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import Fault, ValidationError
from kit.ids import Ids, is_uuid
from kit.levels import Level
from kit.times import Clock
from services.collab.domain import Author, Change, Comment, CommentType, reference_kind
from services.collab.ports import Announcer, Comments, Gate, RecordComment, ReferencePoints, Sessions


@dataclass(frozen=True, slots=True)
class NewComment:
    """What is asked for; an empty `reference_point` or `parent_id` is none, and the form of the first is right."""

    session_id: str
    content: str
    comment_type: CommentType
    reference_point: str
    parent_id: str


class AddComment:
    def __init__(
        self,
        db: Database,
        comments: Comments,
        *,
        gate: Gate,
        sessions: Sessions,
        references: ReferencePoints,
        announcer: Announcer,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._db = db
        self._comments = comments
        self._gate = gate
        self._sessions = sessions
        self._references = references
        self._announcer = announcer
        self._clock = clock
        self._ids = ids

    async def __call__(self, principal: Principal, needed: Level, wanted: NewComment, record: RecordComment) -> Comment:
        """`record` writes the outcome down for the caller's key, in the same transaction.

        Raises SessionNotFound, SessionNotAccessible, ValidationError, Unavailable.
        """
        await self._gate.require(principal, wanted.session_id, needed)
        faults = await self._reference_faults(wanted)
        parent_known = not wanted.parent_id or await self._db.read(lambda conn: self._parent_known(conn, wanted))
        if not parent_known:
            faults.append(Fault("parent_id", "is no comment on this session"))
        if faults:
            raise ValidationError(faults)
        now = self._clock.now()
        comment = Comment(
            comment_id=self._ids.new(),
            session_id=wanted.session_id,
            content=wanted.content,
            comment_type=wanted.comment_type,
            author=Author(principal.user_id, principal.name, principal.email),
            created_at=now,
            updated_at=now,
            reference_point=wanted.reference_point or None,
            parent_id=wanted.parent_id or None,
        )

        def store(conn: Connection) -> Comment:
            self._comments.add(conn, comment)
            self._announcer.announce(conn, comment_change("comment.added", comment, principal.user_id, now))
            record(conn, comment)
            return comment

        return await self._db.write(store)

    def _parent_known(self, conn: Connection, wanted: NewComment) -> bool:
        # A parent that is deleted in between keeps its place, as under any reply that came before.
        return is_uuid(wanted.parent_id) and (self._comments.get(conn, wanted.session_id, wanted.parent_id) is not None)

    async def _reference_faults(self, wanted: NewComment) -> list[Fault]:
        if not wanted.reference_point:
            return []
        if reference_kind(wanted.reference_point) == "stage":
            card = await self._sessions.find(wanted.session_id)
            known = frozenset(f"stage:{stage}" for stage in (card.stages if card else ()))
        else:
            known = await self._references.of(wanted.session_id)
        return [] if wanted.reference_point in known else [Fault("reference_point", "does not exist in this session")]


def comment_change(kind: str, comment: Comment, actor: str, at: int) -> Change:
    """The event of a change to a comment."""
    return Change(
        type=kind,
        session_id=comment.session_id,
        subject_id=comment.comment_id,
        version=comment.version,
        actor=actor,
        at=at,
        comment_type=comment.comment_type.value,
    )
