"""Results' tables. The bytes of artifacts lie in the object store."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData, PrimaryKeyConstraint, Table, Text

from kit.db.tables import add_kit_tables

METADATA = MetaData()
KIT = add_kit_tables(METADATA, revision="0003")

artifacts = Table(
    "artifacts",
    METADATA,
    Column("session_id", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("session_id", "epoch", "hash"),
    CheckConstraint("kind IN ('checkpoint', 'result')", name="artifacts_kind"),
)
