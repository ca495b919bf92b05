"""The kit's tables for services' migrations, one function a version, each as it was written: they never change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_kit_tables_v1() -> None:
    """Create outbox, inbox, idempotency, leases and stream marks as of their first version."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "outbox",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False, unique=True),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger()),
    )
    unpublished = sa.text("published_at IS NULL")
    op.create_index("outbox_unpublished", "outbox", ["id"], sqlite_where=unpublished, postgresql_where=unpublished)
    op.create_index("outbox_created_at", "outbox", ["created_at"])
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_key"),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("response", sa.LargeBinary()),
        sa.Column("location", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "method", "key"),
    )
    op.create_index("idempotency_created_at", "idempotency", ["created_at"])
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "stream_marks",
        sa.Column("stream", sa.Text(), primary_key=True),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
    )


def add_outbox_trace_v2() -> None:
    """Add the trace that an event belongs to; releases from before leave it empty."""
    op.add_column("outbox", sa.Column("traceparent", sa.Text(), nullable=False, server_default=sa.text("''")))


def add_stream_positions_v3() -> None:
    """Add where the stream keeps an event, how often it was published anew, what the broker refuses, and when an inbox
    row was written. Releases from before leave all of it empty."""
    op.add_column("outbox", sa.Column("stream_seq", sa.BigInteger()))
    op.add_column("outbox", sa.Column("resent", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("outbox", sa.Column("set_aside_at", sa.BigInteger()))
    op.create_index("outbox_stream_seq", "outbox", ["stream_seq"])
    op.add_column("inbox", sa.Column("updated_at", sa.BigInteger()))
    op.create_index("inbox_updated_at", "inbox", ["updated_at"])
