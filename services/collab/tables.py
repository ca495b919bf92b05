"""Collab's tables. Time is BIGINT in microseconds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, MetaData, Table, Text

from kit.db.tables import add_kit_tables

METADATA = MetaData()
KIT = add_kit_tables(METADATA, revision="0003")

shares = Table(
    "shares",
    METADATA,
    Column("share_id", Text, primary_key=True),
    Column("session_id", Text, nullable=False),
    Column("shared_by", Text, nullable=False),
    # As they are shown, in a JSON list.
    Column("recipients", Text, nullable=False),
    Column("permissions", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("permissions IN ('view', 'edit', 'collaborate')", name="shares_permissions"),
)
Index("shares_listed", shares.c.session_id, shares.c.created_at, shares.c.share_id)

# The key answers every access check: what has this principal in this session?
share_recipients = Table(
    "share_recipients",
    METADATA,
    Column("principal", Text, primary_key=True),
    Column("session_id", Text, primary_key=True),
    Column("share_id", Text, ForeignKey("shares.share_id"), primary_key=True),
)
Index("share_recipients_share", share_recipients.c.share_id)

comments = Table(
    "comments",
    METADATA,
    Column("comment_id", Text, primary_key=True),
    Column("session_id", Text, nullable=False),
    Column("parent_id", Text, ForeignKey("comments.comment_id")),
    Column("content", Text, nullable=False),
    Column("comment_type", Text, nullable=False),
    Column("reference_point", Text),
    Column("author_id", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("author_email", Text, nullable=False),
    Column("resolved", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # A deleted comment keeps its place under its replies, and nothing of what it said.
    Column("deleted_at", BigInteger),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("comment_type IN ('note', 'question', 'insight')", name="comments_type"),
)
Index(
    "comments_listed",
    comments.c.session_id,
    comments.c.created_at,
    comments.c.comment_id,
    sqlite_where=comments.c.deleted_at.is_(None),
    postgresql_where=comments.c.deleted_at.is_(None),
)
