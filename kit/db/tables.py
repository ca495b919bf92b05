"""The tables that every service's database has beside its own."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

# SQLite counts rows by itself only for INTEGER PRIMARY KEY.
BigSerial = BigInteger().with_variant(Integer(), "sqlite")


@dataclass(frozen=True, slots=True)
class KitTables:
    """Outbox, inbox, idempotency records and leases of one database, and the revision that its tables stand for."""

    revision: str
    outbox: Table
    inbox: Table
    idempotency: Table
    leases: Table
    stream_marks: Table

    @property
    def names(self) -> frozenset[str]:
        """What every service's database has alike."""
        tables = (self.outbox, self.inbox, self.idempotency, self.leases, self.stream_marks)
        return frozenset(table.name for table in tables)


def add_kit_tables(metadata: MetaData, *, revision: str = "") -> KitTables:
    """Declare them in a service's metadata; the service's first migration creates them. `revision` is the migration
    that makes the tables as the service's code needs them."""
    outbox = Table(
        "outbox",
        metadata,
        Column("id", BigSerial, primary_key=True, autoincrement=True),
        Column("subject", Text, nullable=False),
        Column("event_id", Text, nullable=False, unique=True),
        Column("event_type", Text, nullable=False),
        Column("event_key", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("published_at", BigInteger),
        # The W3C trace context of what made the event; empty without one.
        Column("traceparent", Text, nullable=False, server_default=text("''")),
        # Under which number the stream keeps it; releases before 0003 leave it empty.
        Column("stream_seq", BigInteger),
        # How often it was published anew because the stream had lost it.
        Column("resent", BigInteger, nullable=False, server_default=text("0")),
        # Since when it is left out because the broker refuses it as it is.
        Column("set_aside_at", BigInteger),
    )
    Index(
        "outbox_unpublished",
        outbox.c.id,
        sqlite_where=outbox.c.published_at.is_(None),
        postgresql_where=outbox.c.published_at.is_(None),
    )
    Index("outbox_created_at", outbox.c.created_at)
    Index("outbox_stream_seq", outbox.c.stream_seq)
    inbox = Table(
        "inbox",
        metadata,
        Column("source", Text, nullable=False),
        Column("event_key", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
        # When the version was written; releases before 0003 leave it as it was.
        Column("updated_at", BigInteger),
        PrimaryKeyConstraint("source", "event_key"),
    )
    Index("inbox_updated_at", inbox.c.updated_at)
    idempotency = Table(
        "idempotency",
        metadata,
        Column("principal", Text, nullable=False),
        Column("method", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("fingerprint", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("holder", Text, nullable=False),
        Column("lease_until", BigInteger, nullable=False),
        Column("response", LargeBinary),
        Column("location", Text, nullable=False, server_default=text("''")),
        Column("created_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("principal", "method", "key"),
    )
    Index("idempotency_created_at", idempotency.c.created_at)
    leases = Table(
        "leases",
        metadata,
        Column("name", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("until", BigInteger, nullable=False),
    )
    stream_marks = Table(
        "stream_marks",
        metadata,
        Column("stream", Text, primary_key=True),
        Column("created", Text, nullable=False),
        Column("last_seq", BigInteger, nullable=False),
    )
    return KitTables(revision, outbox, inbox, idempotency, leases, stream_marks)
