"""Sessions and events carry the trace of the request that made them.

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
    op.add_column("sessions", sa.Column("traceparent", sa.Text(), nullable=False, server_default=sa.text("''")))
