"""Events know where the stream keeps them; inbox rows know their age.

Revision ID: 0003
Revises: 0002
"""

from kit.db.migration_ops import add_stream_positions_v3

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_stream_positions_v3()
