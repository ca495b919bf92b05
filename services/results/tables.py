"""Results' tables. The bytes of artifacts lie in the object store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, MetaData, PrimaryKeyConstraint, Table, Text

from kit.db.tables import add_kit_tables

METADATA = MetaData()
KIT = add_kit_tables(METADATA, revision="0005")

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

renditions = Table(
    "renditions",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("format", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("held_until", BigInteger, nullable=False),
    Index("renditions_used_at", "used_at"),
)
"""Rendered documents in the object store. `size` is in bytes, 0 while nothing is stored; `holder` renders it now."""

citation_styles = Table(
    "citation_styles",
    METADATA,
    Column("style_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("csl", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    CheckConstraint("kind IN ('author-date', 'numeric', 'note')", name="citation_styles_kind"),
    Index("citation_styles_owner", "owner"),
)
"""CSL sources. `used` is that a session was created with it: then it is never removed, only `deleted` from the list of
its owner, who is "" for copies of installed styles."""
