"""Events carry the trace of what made them; open holds have an index.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from kit.db.migration_ops import add_outbox_trace_v2

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_outbox_trace_v2()
    is_open = sa.text("state = 'open'")
    op.create_index("holds_open", "holds", ["created_at", "amount"], sqlite_where=is_open, postgresql_where=is_open)
