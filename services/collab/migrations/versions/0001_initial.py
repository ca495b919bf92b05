"""Shares, their recipients, comments.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from kit.db.migration_ops import create_kit_tables_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_kit_tables_v1()
    op.create_table(
        "shares",
        sa.Column("share_id", sa.Text(), primary_key=True),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("shared_by", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("permissions IN ('view', 'edit', 'collaborate')", name="shares_permissions"),
    )
    op.create_index("shares_listed", "shares", ["session_id", "created_at", "share_id"])
    op.create_table(
        "share_recipients",
        sa.Column("principal", sa.Text(), primary_key=True),
        sa.Column("session_id", sa.Text(), primary_key=True),
        sa.Column("share_id", sa.Text(), sa.ForeignKey("shares.share_id"), primary_key=True),
    )
    op.create_index("share_recipients_share", "share_recipients", ["share_id"])
    op.create_table(
        "comments",
        sa.Column("comment_id", sa.Text(), primary_key=True),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), sa.ForeignKey("comments.comment_id")),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("comment_type", sa.Text(), nullable=False),
        sa.Column("reference_point", sa.Text()),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_email", sa.Text(), nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("comment_type IN ('note', 'question', 'insight')", name="comments_type"),
    )
    op.create_index(
        "comments_listed",
        "comments",
        ["session_id", "created_at", "comment_id"],
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
