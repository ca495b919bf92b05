"""Events know where the stream keeps them; inbox rows know their age; sessions know whose failure it was and what came
in their place.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from kit.db.migration_ops import add_stream_positions_v3

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_stream_positions_v3()
    op.add_column("sessions", sa.Column("losses", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("sessions", sa.Column("ours", sa.Integer()))
    op.add_column("sessions", sa.Column("successor", sa.Text(), nullable=False, server_default=sa.text("''")))
    failed = sa.text("status IN ('failed', 'timeout')")
    op.create_index(
        "sessions_failed", "sessions", ["finished_at", "session_id"], sqlite_where=failed, postgresql_where=failed
    )
    paused = sa.text("status = 'paused'")
    op.create_index("sessions_paused", "sessions", ["status_since"], sqlite_where=paused, postgresql_where=paused)
