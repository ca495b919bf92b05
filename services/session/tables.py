"""Session's tables. Money is BIGINT in 10^-6 of the currency, time BIGINT in microseconds, JSON is text."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from kit.db.tables import add_kit_tables

METADATA = MetaData()
KIT = add_kit_tables(METADATA, revision="0003")

sessions = Table(
    "sessions",
    METADATA,
    Column("session_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("session_type", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("pausable", Integer, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("preferences", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("budget_limit", BigInteger, nullable=False),
    Column("on_limit", Text, nullable=False),
    Column("prices", Text, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("time_limit", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_since", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # How many history rows there are; also the version of the session's last event.
    Column("version", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("lease_until", BigInteger),
    Column("grant_until", BigInteger, nullable=False),
    Column("beat_at", BigInteger, nullable=False),
    Column("progress", Integer, nullable=False),
    Column("current_stage", Text, nullable=False),
    Column("stage_running", BigInteger, nullable=False),
    Column("plan", Text, nullable=False),
    Column("open_stage", Text),
    Column("write_up", Integer, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("released", BigInteger, nullable=False),
    Column("usage", Text, nullable=False),
    Column("running", BigInteger, nullable=False),
    Column("queued", BigInteger, nullable=False),
    Column("initializing", BigInteger, nullable=False),
    Column("paused", BigInteger, nullable=False),
    Column("cpu", BigInteger, nullable=False),
    Column("cpu_claim", BigInteger, nullable=False),
    Column("bytes_stored", BigInteger, nullable=False),
    Column("bytes_claim", BigInteger, nullable=False),
    Column("peak_memory", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("result_epoch", BigInteger, nullable=False),
    Column("result_hash", Text, nullable=False),
    Column("results", Text),
    Column("cited", Text, nullable=False),
    Column("error", Text),
    Column("settled_at", BigInteger),
    # When to tell billing (again); empty while the session is open and once its end is settled.
    Column("settle_after", BigInteger),
    # The W3C trace context of the request that made it; workers' attempts and events join that trace.
    Column("traceparent", Text, nullable=False, server_default=text("''")),
    # How many of the failures were lost attempts, which may have been another session's doing.
    Column("losses", Integer, nullable=False, server_default=text("0")),
    # Whether a failure was the platform's; empty for what did not fail, and for what failed under an older release.
    Column("ours", Integer),
    # The session that an operator started in its place.
    Column("successor", Text, nullable=False, server_default=text("''")),
    CheckConstraint(
        "status IN ('queued', 'initializing', 'running', 'paused', 'completed', 'failed', 'cancelled', 'timeout')",
        name="sessions_status",
    ),
    CheckConstraint("charged >= 0 AND released >= 0 AND charged + released <= held", name="sessions_money"),
    CheckConstraint("finished_at IS NULL OR charged + released = held", name="sessions_settlement"),
    CheckConstraint("progress BETWEEN 0 AND 100", name="sessions_progress"),
)
_s = sessions.c
Index("sessions_listed", _s.owner, _s.created_at, _s.session_id)
Index("sessions_listed_status", _s.owner, _s.status, _s.created_at, _s.session_id)
Index("sessions_listed_type", _s.owner, _s.session_type, _s.created_at, _s.session_id)
Index("sessions_listed_both", _s.owner, _s.status, _s.session_type, _s.created_at, _s.session_id)
_queued = _s.status == "queued"
# The head of a lane: an owner's oldest queued session for an engine.
Index(
    "sessions_queued", _s.engine, _s.owner, _s.status_since, _s.session_id,
    sqlite_where=_queued, postgresql_where=_queued,
)  # fmt: skip
_leased = _s.lease_until.is_not(None)
Index("sessions_leased", _s.lease_until, sqlite_where=_leased, postgresql_where=_leased)
_unsettled = _s.settle_after.is_not(None)
Index("sessions_unsettled", _s.settle_after, sqlite_where=_unsettled, postgresql_where=_unsettled)
# What operators look through, newest first.
FAILED = text("status IN ('failed', 'timeout')")
Index("sessions_failed", _s.finished_at, _s.session_id, sqlite_where=FAILED, postgresql_where=FAILED)
_paused = _s.status == "paused"
Index("sessions_paused", _s.status_since, sqlite_where=_paused, postgresql_where=_paused)

history = Table(
    "history",
    METADATA,
    Column("session_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    # Which derived view the row belongs to: event, stage, allocation, decision.
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
    # The session's state after the row.
    Column("status", Text, nullable=False),
    Column("progress", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    PrimaryKeyConstraint("session_id", "seq"),
)

stages = Table(
    "stages",
    METADATA,
    Column("session_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("running", BigInteger, nullable=False),
    Column("finished_at", BigInteger, nullable=False),
    # A stage has one checkpoint, whatever the epoch.
    PrimaryKeyConstraint("session_id", "stage"),
)

charges = Table(
    "charges",
    METADATA,
    Column("session_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("unit_price", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    # No item of a stage is charged twice.
    PrimaryKeyConstraint("session_id", "stage", "item"),
    CheckConstraint("amount >= 0", name="charges_amount"),
)

creations = Table(
    "creations",
    METADATA,
    Column("principal", Text, nullable=False),
    Column("method", Text, nullable=False),
    # The client's key, or a blank and the session's id, which no client can send.
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("session_id", Text, nullable=False, unique=True),
    # pending, aborting, done.
    Column("state", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("takeovers", Integer, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("response", Text),
    PrimaryKeyConstraint("principal", "method", "key"),
    CheckConstraint("state IN ('pending', 'aborting', 'done')", name="creations_state"),
)
_unfinished = creations.c.state != "done"
Index(
    "creations_unfinished", creations.c.lease_until,
    sqlite_where=_unfinished, postgresql_where=_unfinished,
)  # fmt: skip
Index("creations_created_at", creations.c.created_at)

# Kept in the transaction of every change, so that totals of a list are never counted.
counters = Table(
    "counters",
    METADATA,
    Column("owner", Text, nullable=False),
    Column("session_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("charged", BigInteger, nullable=False),
    PrimaryKeyConstraint("owner", "session_type", "status"),
)

# An owner's place in an engine's queue: the lane with the least virtual time, the number of the claim since which it
# waits, is served next.
lanes = Table(
    "lanes",
    METADATA,
    Column("engine", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("virtual_time", BigInteger, nullable=False),
    Column("queued", BigInteger, nullable=False),
    PrimaryKeyConstraint("owner", "engine"),
)
_waiting = lanes.c.queued > 0
Index(
    "lanes_waiting", lanes.c.engine, lanes.c.virtual_time, lanes.c.owner,
    sqlite_where=_waiting, postgresql_where=_waiting,
)  # fmt: skip

# How many sessions of an owner are in the hands of workers, over all engines.
loads = Table(
    "loads",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("active", BigInteger, nullable=False),
)

# One row: the number of the last claim. Whoever claims holds it, so claims come one by one.
virtual_clock = Table(
    "virtual_clock",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("virtual_time", BigInteger, nullable=False),
)

# The running mean of how long sessions of a kind ran until they were completed.
durations = Table(
    "durations",
    METADATA,
    Column("session_type", Text, nullable=False),
    Column("depth", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("mean", BigInteger, nullable=False),
    PrimaryKeyConstraint("session_type", "depth"),
)
