"""Events carry the trace of what made them.

Revision ID: 0002
Revises: 0001
"""

from kit.db.migration_ops import add_outbox_trace_v2

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_outbox_trace_v2()
