"""Where collab's messages meet its domain."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from kit.access import Shared, Standing
from kit.auth.principal import Principal
from kit.errors import Fault
from kit.levels import Level
from kit.paging import Page, Position, next_cursor
from prsm.collab.v1 import access_pb2, collab_pb2
from prsm.events.v1 import events_pb2
from prsm.options.v1 import options_pb2
from services.collab.domain import (
    Change,
    Comment,
    CommentChange,
    CommentType,
    Share,
    Status,
    content_faults,
    moment_faults,
    reference_faults,
)
from services.collab.ports import SessionCard
from services.collab.recipients import form_faults
from services.collab.usecases.add_comment import NewComment
from services.collab.usecases.share_session import NewShare

_STATUS = {
    Status.ACTIVE: collab_pb2.Share.active,
    Status.EXPIRED: collab_pb2.Share.expired,
    Status.REVOKED: collab_pb2.Share.revoked,
}
_TYPE = {
    CommentType.NOTE: collab_pb2.Comment.note,
    CommentType.QUESTION: collab_pb2.Comment.question,
    CommentType.INSIGHT: collab_pb2.Comment.insight,
}
_STANDING = {
    Standing.STRANGER: access_pb2.Grant.STANDING_STRANGER,
    Standing.FORMER: access_pb2.Grant.STANDING_FORMER,
    Standing.CURRENT: access_pb2.Grant.STANDING_CURRENT,
}
_LEVEL = {
    Level.NONE: options_pb2.Rule.LEVEL_UNSPECIFIED,
    Level.VIEW: options_pb2.Rule.LEVEL_VIEW,
    Level.EDIT: options_pb2.Rule.LEVEL_EDIT,
    Level.COLLABORATE: options_pb2.Rule.LEVEL_COLLABORATE,
}


def timestamp(instant: int) -> Timestamp:
    """Milliseconds are the finest that leaves the platform."""
    message = Timestamp()
    message.FromMicroseconds(instant // 1000 * 1000)
    return message


def new_share_of(message: collab_pb2.ShareSessionRequest) -> NewShare:
    return NewShare(
        session_id=message.session_id,
        recipients=tuple(message.recipients),
        permissions=message.permissions,
        message=message.message,
        expiration=message.expiration,
    )


def share_faults(message: collab_pb2.ShareSessionRequest) -> list[Fault]:
    """What is wrong with the form of a request, beyond the rules in the proto."""
    return form_faults(message.recipients) + moment_faults(message.expiration)


def shared_message(share: Share) -> collab_pb2.ShareSessionResponse:
    """Without the URL, which is made anew for each answer."""
    return collab_pb2.ShareSessionResponse(
        share_id=share.share_id,
        recipients=share.recipients,
        expires_at=timestamp(share.expires_at),
        session_id=share.session_id,
        permissions=share.permissions,
        message=share.message,
        created_at=timestamp(share.created_at),
    )


def share_message(share: Share, now: int) -> collab_pb2.Share:
    return collab_pb2.Share(
        share_id=share.share_id,
        session_id=share.session_id,
        recipients=share.recipients,
        permissions=share.permissions,
        message=share.message,
        shared_by=share.shared_by,
        status=_STATUS[share.status(now)],
        created_at=timestamp(share.created_at),
        expires_at=timestamp(share.expires_at),
        revoked_at=None if share.revoked_at is None else timestamp(share.revoked_at),
    )


def shares_message(listed: Sequence[Share], total: int, page: Page, now: int) -> collab_pb2.ListSharesResponse:
    last = Position(listed[-1].created_at, listed[-1].share_id) if listed else None
    return collab_pb2.ListSharesResponse(
        shares=[share_message(share, now) for share in listed],
        total_count=total,
        page=page.number,
        limit=page.limit,
        next_cursor=next_cursor(page, len(listed), last, total),
    )


def opened_message(share: Share, card: SessionCard) -> collab_pb2.OpenShareResponse:
    return collab_pb2.OpenShareResponse(
        share_id=share.share_id,
        session_id=share.session_id,
        session_url=f"/api/v1/sessions/{share.session_id}",
        permissions=share.permissions,
        message=share.message,
        shared_by=share.shared_by,
        expires_at=timestamp(share.expires_at),
        session=collab_pb2.SharedSession(
            session_type=card.session_type,
            status=card.status,
            prompt=card.prompt,
            created_at=timestamp(card.created_at),
        ),
    )


def new_comment_of(message: collab_pb2.AddCommentRequest) -> NewComment:
    return NewComment(
        session_id=message.session_id,
        content=message.content,
        comment_type=CommentType(message.comment_type) if message.comment_type else CommentType.NOTE,
        reference_point=message.reference_point,
        parent_id=message.parent_id,
    )


def comment_faults(message: collab_pb2.AddCommentRequest) -> list[Fault]:
    return content_faults(message.content) + reference_faults(message.reference_point)


def change_faults(message: collab_pb2.UpdateCommentRequest) -> list[Fault]:
    if not any(message.HasField(name) for name in ("content", "comment_type", "resolved")):
        return [Fault("", "give content, comment_type or resolved")]
    return content_faults(message.content)


def comment_change_of(message: collab_pb2.UpdateCommentRequest) -> CommentChange:
    return CommentChange(
        content=message.content if message.HasField("content") else None,
        comment_type=CommentType(message.comment_type) if message.HasField("comment_type") else None,
        resolved=message.resolved if message.HasField("resolved") else None,
    )


def comment_message(comment: Comment) -> collab_pb2.Comment:
    author = comment.author
    return collab_pb2.Comment(
        comment_id=comment.comment_id,
        session_id=comment.session_id,
        content=comment.content,
        comment_type=_TYPE[comment.comment_type],
        reference_point=comment.reference_point,
        author=collab_pb2.Author(user_id=author.user_id, name=author.name, email=author.email),
        created_at=timestamp(comment.created_at),
        updated_at=timestamp(comment.updated_at),
        parent_id=comment.parent_id,
        resolved=comment.resolved,
    )


def comments_message(listed: Sequence[Comment], total: int, page: Page) -> collab_pb2.ListCommentsResponse:
    last = Position(listed[-1].created_at, listed[-1].comment_id) if listed else None
    return collab_pb2.ListCommentsResponse(
        comments=[comment_message(comment) for comment in listed],
        total_count=total,
        page=page.number,
        limit=page.limit,
        next_cursor=next_cursor(page, len(listed), last, total),
    )


def principal_of(message: access_pb2.Principal) -> Principal:
    return Principal(user_id=message.user_id, email=message.email, teams=tuple(message.teams))


def grant_message(shared: Shared) -> access_pb2.Grant:
    return access_pb2.Grant(
        standing=_STANDING[shared.standing],
        level=_LEVEL[shared.level],
        expires_at_us=shared.expires_at,
    )


def collab_changed(change: Change) -> bytes:
    """The payload of an event."""
    return events_pb2.CollabChanged(
        session_id=change.session_id,
        version=change.version,
        type=change.type,
        actor=change.actor,
        subject_id=change.subject_id,
        at_us=change.at,
        comment_type=change.comment_type,
        permissions=change.permissions,
        recipients=change.recipients,
    ).SerializeToString()
