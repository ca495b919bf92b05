"""The library's tables. Time is BIGINT in microseconds; lists and free objects are JSON in Text."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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
KIT = add_kit_tables(METADATA, revision="0004")

# One row an owner. Every change of a library updates its row first, so the changes of one owner come one after the
# other and their revisions become visible in order.
libraries = Table(
    "libraries",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    # Documents that are listed, and of these the ones a session can read, with their code points.
    Column("documents", BigInteger, nullable=False),
    Column("usable", BigInteger, nullable=False),
    Column("characters", BigInteger, nullable=False),
    # Where the index was saved last, and up to which revision it is complete.
    Column("snapshot", Text),
    Column("snapshot_revision", BigInteger, nullable=False),
    CheckConstraint("documents >= usable AND usable >= 0 AND characters >= 0", name="libraries_counts"),
)

documents = Table(
    "documents",
    METADATA,
    Column("document_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    # Set for what a session was given inline: no part of the library.
    Column("session_id", Text),
    Column("title", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    # The library's revision that stored it, or that deleted it.
    Column("revision", BigInteger, nullable=False),
    Column("text_sha256", Text, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("pages", Text, nullable=False),
    Column("authors", Text, nullable=False),
    Column("year", Integer),
    Column("doi", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("is_dataset", Boolean, nullable=False),
    Column("problems", Text, nullable=False),
    Column("external_id", Text),
    Column("metadata", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    # Of the bytes as uploaded; empty when there are none beside the text.
    Column("source_sha256", Text, nullable=False),
    Column("source_size", BigInteger, nullable=False),
    # A CSL-JSON item; places of tables and of a bibliography's works in the text; where it was fetched.
    Column("csl", Text, nullable=False, server_default=text("'{}'")),
    Column("tables", Text, nullable=False, server_default=text("'[]'")),
    Column("works", Text, nullable=False, server_default=text("'[]'")),
    Column("source_url", Text, nullable=False, server_default=text("''")),
    CheckConstraint("status IN ('ready', 'unreadable')", name="documents_status"),
)
_in_library = documents.c.deleted_at.is_(None) & documents.c.session_id.is_(None)
Index(
    "documents_listed",
    documents.c.owner,
    documents.c.created_at,
    documents.c.document_id,
    sqlite_where=_in_library,
    postgresql_where=_in_library,
)
Index("documents_changed", documents.c.owner, documents.c.revision)
Index(
    "documents_external_id",
    documents.c.owner,
    documents.c.external_id,
    unique=True,
    sqlite_where=_in_library,
    postgresql_where=_in_library,
)
Index("documents_session", documents.c.session_id)
Index("documents_deleted_at", documents.c.deleted_at)

# Which document of a library stands for which content: copies are not stored again. A key whose document left the
# library stands for nothing.
content_keys = Table(
    "content_keys",
    METADATA,
    Column("owner", Text, nullable=False),
    Column("content_key", Text, nullable=False),
    Column("document_id", Text, nullable=False),
    PrimaryKeyConstraint("owner", "content_key"),
)
Index("content_keys_document", content_keys.c.document_id)

# Which documents are which works, by DOI, and by title, first author and year.
work_keys = Table(
    "work_keys",
    METADATA,
    Column("document_id", Text, nullable=False),
    Column("work_key", Text, nullable=False),
    Column("owner", Text, nullable=False),
    PrimaryKeyConstraint("document_id", "work_key"),
)
Index("work_keys_work", work_keys.c.owner, work_keys.c.work_key, work_keys.c.document_id)

# Texts up to a size; longer ones are blobs.
texts = Table(
    "texts",
    METADATA,
    Column("document_id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

# Which sessions work on or cite which documents: whoever may view one may read the text.
session_documents = Table(
    "session_documents",
    METADATA,
    Column("document_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    PrimaryKeyConstraint("document_id", "session_id"),
)
Index("session_documents_session", session_documents.c.session_id)

# Sessions whose inputs were prepared. A discarded one is a tombstone that keeps a late preparation off.
preparations = Table(
    "preparations",
    METADATA,
    Column("session_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("discarded", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# What connectors answered, so that nothing is asked twice within a time.
connector_answers = Table(
    "connector_answers",
    METADATA,
    Column("answer_key", Text, primary_key=True),
    Column("works", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("connector_answers_created_at", connector_answers.c.created_at)

# What was gathered for a session, by the digest of what it asked for: asking again gives the same.
gatherings = Table(
    "gatherings",
    METADATA,
    Column("session_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("gathered", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("session_id", "digest"),
)
