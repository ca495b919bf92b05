"""Accounts, holds, transactions.

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
        "accounts",
        sa.Column("user_id", sa.Text(), primary_key=True),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("open_holds", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("available >= 0", name="accounts_available"),
        sa.CheckConstraint("held >= 0", name="accounts_held"),
        sa.CheckConstraint("open_holds >= 0", name="accounts_open_holds"),
    )
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.Column("estimate", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.CheckConstraint("state IN ('open', 'settled', 'void')", name="holds_state"),
        sa.CheckConstraint("state = 'open' OR captured + released = amount", name="holds_closed"),
        sa.CheckConstraint("amount >= 0 AND captured >= 0 AND released >= 0", name="holds_amounts"),
    )
    op.create_table(
        "transactions",
        sa.Column("transaction_id", sa.Text(), primary_key=True),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text()),
        sa.Column("available_after", sa.BigInteger(), nullable=False),
        sa.Column("held_after", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('credit', 'hold', 'capture', 'release')", name="transactions_kind"),
        sa.CheckConstraint("amount >= 0", name="transactions_amount"),
    )
    op.create_index("transactions_version", "transactions", ["user_id", "version"], unique=True)
    op.create_index("transactions_listed", "transactions", ["user_id", "created_at", "transaction_id"])
    op.create_index("transactions_session", "transactions", ["session_id"])
