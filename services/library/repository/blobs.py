"""Which blobs belong to a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, select

from services.library.tables import documents, libraries

PREFIXES = ("raw", "text", "index")
_CONTENT = re.compile(r"(?:raw|text)/[^/]{1,2}/([^/]+)")
_INDEX = re.compile(r"index/[0-9a-f]{32}/[^/]+")


def kept_blobs(conn: Connection, blobs: Sequence[str]) -> frozenset[str]:
    """Those of the blobs that rows tell of, deleted documents' as well; and those that are none of the library's."""
    contents = {blob: found[1] for blob in blobs if (found := _CONTENT.fullmatch(blob))}
    indexes = {blob for blob in blobs if _INDEX.fullmatch(blob)}
    wanted = set(contents.values())
    there = set(conn.execute(select(documents.c.document_id).where(documents.c.document_id.in_(wanted))).scalars())
    saved = set(conn.execute(select(libraries.c.snapshot).where(libraries.c.snapshot.in_(indexes))).scalars())
    others = set(blobs) - contents.keys() - indexes
    return frozenset(others | saved | {blob for blob, document_id in contents.items() if document_id in there})
