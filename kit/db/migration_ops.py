"""The kit's tables for a service's first migration, written out once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kit.db.tables import add_kit_tables


def create_kit_tables_v1() -> None:
    """Create outbox, inbox, idempotency, leases and stream marks as of their first version."""
    metadata = sa.MetaData()
    add_kit_tables(metadata)
    metadata.create_all(op.get_bind(), checkfirst=False)
