"""What a document says of works and tables, where it was fetched, and the keys by which copies are known.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("csl", sa.Text(), nullable=False, server_default=sa.text("'{}'")))
    op.add_column("documents", sa.Column("tables", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("documents", sa.Column("works", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("documents", sa.Column("source_url", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "content_keys",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("content_key", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "content_key"),
    )
    op.create_index("content_keys_document", "content_keys", ["document_id"])
    op.create_table(
        "work_keys",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("work_key", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "work_key"),
    )
    op.create_index("work_keys_work", "work_keys", ["owner", "work_key", "document_id"])
    op.create_table(
        "connector_answers",
        sa.Column("answer_key", sa.Text(), primary_key=True),
        sa.Column("works", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("connector_answers_created_at", "connector_answers", ["created_at"])
    op.create_table(
        "gatherings",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("gathered", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "digest"),
    )
