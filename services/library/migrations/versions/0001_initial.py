"""Libraries, documents, texts, what sessions use of them.

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

_IN_LIBRARY = sa.text("deleted_at IS NULL AND session_id IS NULL")


def upgrade() -> None:
    create_kit_tables_v1()
    op.create_table(
        "libraries",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("usable", sa.BigInteger(), nullable=False),
        sa.Column("characters", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.Text()),
        sa.Column("snapshot_revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("documents >= usable AND usable >= 0 AND characters >= 0", name="libraries_counts"),
    )
    op.create_table(
        "documents",
        sa.Column("document_id", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text()),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("text_sha256", sa.Text(), nullable=False),
        sa.Column("characters", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.Text(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer()),
        sa.Column("doi", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("is_dataset", sa.Boolean(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=False),
        sa.Column("source_size", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('ready', 'unreadable')", name="documents_status"),
    )
    op.create_index(
        "documents_listed",
        "documents",
        ["owner", "created_at", "document_id"],
        sqlite_where=_IN_LIBRARY,
        postgresql_where=_IN_LIBRARY,
    )
    op.create_index("documents_changed", "documents", ["owner", "revision"])
    op.create_index(
        "documents_external_id",
        "documents",
        ["owner", "external_id"],
        unique=True,
        sqlite_where=_IN_LIBRARY,
        postgresql_where=_IN_LIBRARY,
    )
    op.create_index("documents_session", "documents", ["session_id"])
    op.create_index("documents_deleted_at", "documents", ["deleted_at"])
    op.create_table(
        "texts",
        sa.Column("document_id", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "session_documents",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "session_id"),
    )
    op.create_index("session_documents_session", "session_documents", ["session_id"])
    op.create_table(
        "preparations",
        sa.Column("session_id", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("discarded", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
