"""Sessions, their history, stages and charges, creations, the fair queue, kept totals.

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
        "sessions",
        sa.Column("session_id", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("session_type", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("pausable", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("preferences", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("budget_limit", sa.BigInteger(), nullable=False),
        sa.Column("on_limit", sa.Text(), nullable=False),
        sa.Column("prices", sa.Text(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("time_limit", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_since", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("grant_until", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("current_stage", sa.Text(), nullable=False),
        sa.Column("stage_running", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("open_stage", sa.Text()),
        sa.Column("write_up", sa.Integer(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.Column("usage", sa.Text(), nullable=False),
        sa.Column("running", sa.BigInteger(), nullable=False),
        sa.Column("queued", sa.BigInteger(), nullable=False),
        sa.Column("initializing", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.BigInteger(), nullable=False),
        sa.Column("cpu", sa.BigInteger(), nullable=False),
        sa.Column("cpu_claim", sa.BigInteger(), nullable=False),
        sa.Column("bytes_stored", sa.BigInteger(), nullable=False),
        sa.Column("bytes_claim", sa.BigInteger(), nullable=False),
        sa.Column("peak_memory", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("result_epoch", sa.BigInteger(), nullable=False),
        sa.Column("result_hash", sa.Text(), nullable=False),
        sa.Column("results", sa.Text()),
        sa.Column("cited", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("settled_at", sa.BigInteger()),
        sa.Column("settle_after", sa.BigInteger()),
        sa.CheckConstraint(
            "status IN ('queued', 'initializing', 'running', 'paused', 'completed', 'failed', 'cancelled', 'timeout')",
            name="sessions_status",
        ),
        sa.CheckConstraint("charged >= 0 AND released >= 0 AND charged + released <= held", name="sessions_money"),
        sa.CheckConstraint("finished_at IS NULL OR charged + released = held", name="sessions_settlement"),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name="sessions_progress"),
    )
    op.create_table(
        "history",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "seq"),
    )
    op.create_table(
        "stages",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("running", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "stage"),
    )
    op.create_table(
        "charges",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "stage", "item"),
        sa.CheckConstraint("amount >= 0", name="charges_amount"),
    )
    op.create_table(
        "creations",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False, unique=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("takeovers", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("response", sa.Text()),
        sa.PrimaryKeyConstraint("principal", "method", "key"),
        sa.CheckConstraint("state IN ('pending', 'aborting', 'done')", name="creations_state"),
    )
    op.create_table(
        "counters",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("session_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "session_type", "status"),
    )
    op.create_table(
        "lanes",
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("virtual_time", sa.BigInteger(), nullable=False),
        sa.Column("queued", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "engine"),
    )
    op.create_table(
        "loads",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("active", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "virtual_clock",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("virtual_time", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "durations",
        sa.Column("session_type", sa.Text(), nullable=False),
        sa.Column("depth", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("mean", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_type", "depth"),
    )
    op.create_index("sessions_listed", "sessions", ["owner", "created_at", "session_id"])
    op.create_index("sessions_listed_status", "sessions", ["owner", "status", "created_at", "session_id"])
    op.create_index("sessions_listed_both", "sessions", ["owner", "status", "session_type", "created_at", "session_id"])
    op.create_index("sessions_listed_type", "sessions", ["owner", "session_type", "created_at", "session_id"])
    where = sa.text("status = 'queued'")
    op.create_index(
        "sessions_queued",
        "sessions",
        ["engine", "owner", "status_since", "session_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
    where = sa.text("lease_until IS NOT NULL")
    op.create_index("sessions_leased", "sessions", ["lease_until"], sqlite_where=where, postgresql_where=where)
    where = sa.text("settle_after IS NOT NULL")
    op.create_index("sessions_unsettled", "sessions", ["settle_after"], sqlite_where=where, postgresql_where=where)
    where = sa.text("state != 'done'")
    op.create_index("creations_unfinished", "creations", ["lease_until"], sqlite_where=where, postgresql_where=where)
    op.create_index("creations_created_at", "creations", ["created_at"])
    where = sa.text("queued > 0")
    op.create_index(
        "lanes_waiting", "lanes", ["engine", "virtual_time", "owner"], sqlite_where=where, postgresql_where=where
    )
    op.execute("INSERT INTO virtual_clock (id, virtual_time) VALUES (1, 0)")
