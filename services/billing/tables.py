"""Billing's tables. Money is BIGINT in 10^-6 of the currency, time BIGINT in microseconds."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, MetaData, Table, Text

from kit.db.tables import add_kit_tables

METADATA = MetaData()
KIT = add_kit_tables(METADATA, revision="0003")

accounts = Table(
    "accounts",
    METADATA,
    Column("user_id", Text, primary_key=True),
    Column("available", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("open_holds", BigInteger, nullable=False),
    # How many transactions there were; also the version of the account's last event.
    Column("version", BigInteger, nullable=False),
    # When the last transaction was. An account's transactions never share a moment, so its ledger has one order.
    Column("updated_at", BigInteger, nullable=False),
    CheckConstraint("available >= 0", name="accounts_available"),
    CheckConstraint("held >= 0", name="accounts_held"),
    CheckConstraint("open_holds >= 0", name="accounts_open_holds"),
)

holds = Table(
    "holds",
    METADATA,
    Column("hold_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("released", BigInteger, nullable=False),
    # The estimate it was placed with, as JSON; absent in the tombstone of a hold that never was.
    Column("estimate", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    CheckConstraint("state IN ('open', 'settled', 'void')", name="holds_state"),
    CheckConstraint("state = 'open' OR captured + released = amount", name="holds_closed"),
    CheckConstraint("amount >= 0 AND captured >= 0 AND released >= 0", name="holds_amounts"),
)

# What is open is counted and added up all the time, and most holds are not.
_open = holds.c.state == "open"
Index("holds_open", holds.c.created_at, holds.c.amount, sqlite_where=_open, postgresql_where=_open)

transactions = Table(
    "transactions",
    METADATA,
    Column("transaction_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("description", Text, nullable=False),
    Column("session_id", Text),
    Column("available_after", BigInteger, nullable=False),
    Column("held_after", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("kind IN ('credit', 'hold', 'capture', 'release')", name="transactions_kind"),
    CheckConstraint("amount >= 0", name="transactions_amount"),
)
Index("transactions_version", transactions.c.user_id, transactions.c.version, unique=True)
Index("transactions_listed", transactions.c.user_id, transactions.c.created_at, transactions.c.transaction_id)
Index("transactions_session", transactions.c.session_id)
