"""Comments on SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from kit.paging import Page
from services.collab.domain import Author, Comment, CommentChange, CommentType
from services.collab.tables import comments


class SqlComments:
    """Behind `ports.Comments`."""

    def add(self, conn: Connection, comment: Comment) -> None:
        conn.execute(
            insert(comments).values(
                comment_id=comment.comment_id,
                session_id=comment.session_id,
                parent_id=comment.parent_id,
                content=comment.content,
                comment_type=comment.comment_type.value,
                reference_point=comment.reference_point,
                author_id=comment.author.user_id,
                author_name=comment.author.name,
                author_email=comment.author.email,
                resolved=comment.resolved,
                created_at=comment.created_at,
                updated_at=comment.updated_at,
                version=comment.version,
            )
        )

    def get(self, conn: Connection, session_id: str, comment_id: str) -> Comment | None:
        row = conn.execute(select(comments).where(*_live(session_id, comment_id, None))).one_or_none()
        return _comment(row) if row else None

    def change(
        self, conn: Connection, session_id: str, comment_id: str, change: CommentChange, now: int, author: str | None
    ) -> Comment | None:
        values: dict[str, object] = {"updated_at": now, "version": comments.c.version + 1}
        if change.content is not None:
            values["content"] = change.content
        if change.comment_type is not None:
            values["comment_type"] = change.comment_type.value
        if change.resolved is not None:
            values["resolved"] = change.resolved
        changed = update(comments).where(*_live(session_id, comment_id, author)).values(values)
        row = conn.execute(changed.returning(comments)).one_or_none()
        return _comment(row) if row else None

    def delete(
        self, conn: Connection, session_id: str, comment_id: str, now: int, author: str | None
    ) -> Comment | None:
        deleted = (
            update(comments)
            .where(*_live(session_id, comment_id, author))
            .values(content="", deleted_at=now, updated_at=now, version=comments.c.version + 1)
        )
        row = conn.execute(deleted.returning(comments)).one_or_none()
        return _comment(row) if row else None

    def page(
        self, conn: Connection, session_id: str, page: Page, comment_type: CommentType | None
    ) -> tuple[list[Comment], int]:
        c = comments.c
        matching = [c.session_id == session_id, c.deleted_at.is_(None)]
        if comment_type is not None:
            matching.append(c.comment_type == comment_type.value)
        total = conn.execute(select(func.count()).select_from(comments).where(*matching)).scalar_one()
        listed = select(comments).where(*matching)
        if page.after is not None:
            listed = listed.where(
                or_(
                    c.created_at < page.after.created_at,
                    and_(c.created_at == page.after.created_at, c.comment_id < page.after.id),
                )
            )
        listed = listed.order_by(c.created_at.desc(), c.comment_id.desc()).limit(page.limit).offset(page.offset)
        return [_comment(row) for row in conn.execute(listed)], total


def _live(session_id: str, comment_id: str, author: str | None) -> list[ColumnElement[bool]]:
    c = comments.c
    matching = [c.comment_id == comment_id, c.session_id == session_id, c.deleted_at.is_(None)]
    return matching if author is None else [*matching, c.author_id == author]


def _comment(row: Row[Any]) -> Comment:
    return Comment(
        comment_id=row.comment_id,
        session_id=row.session_id,
        content=row.content,
        comment_type=CommentType(row.comment_type),
        author=Author(row.author_id, row.author_name, row.author_email),
        created_at=row.created_at,
        updated_at=row.updated_at,
        reference_point=row.reference_point,
        parent_id=row.parent_id,
        resolved=row.resolved,
        version=row.version,
    )
