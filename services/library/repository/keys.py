"""The keys by which a library knows copies of a document, and documents that are the same work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, tuple_

from kit.db.upsert import insert_for
from services.library.domain import Document
from services.library.repository.chunks import chunks
from services.library.repository.rows import document_of
from services.library.tables import content_keys, documents, work_keys

_d = documents.c
_c = content_keys.c
_IN_LIBRARY = and_(_d.deleted_at.is_(None), _d.session_id.is_(None))


def find_contents(conn: Connection, owner: str, keys: Collection[str]) -> dict[str, Document]:
    """The documents of the library that stand for these contents, by key."""
    found: dict[str, Document] = {}
    for some in chunks(keys):
        held = select(_c.content_key, documents).join(documents, _d.document_id == _c.document_id)
        for row in conn.execute(held.where(_c.owner == owner, _c.content_key.in_(some), _IN_LIBRARY)):
            found[row.content_key] = document_of(row)
    return found


def claim_contents(conn: Connection, owner: str, claims: Sequence[tuple[str, str]]) -> None:
    """Let documents stand for contents: (key, document id). What a key stood for is no longer in the library: the
    primary key sees to it that there is never more than one."""
    for some in chunks(claims):
        rows: list[dict[str, Any]] = [
            {"owner": owner, "content_key": key, "document_id": document_id} for key, document_id in some
        ]
        fresh = insert_for(conn, content_keys)
        taken = fresh.on_conflict_do_update(
            index_elements=["owner", "content_key"], set_={"document_id": fresh.excluded.document_id}
        )
        conn.execute(taken, rows)


def note_works(conn: Connection, arrived: Sequence[Document]) -> None:
    """Note which works these documents are."""
    rows = [
        {"document_id": document.document_id, "work_key": key, "owner": document.owner}
        for document in arrived
        for key in document.work_keys
    ]
    for some in chunks(rows):
        conn.execute(insert(work_keys), some)


def drop_keys(conn: Connection, document_ids: Collection[str]) -> None:
    """Forget the keys of documents that are leaving the library."""
    for some in chunks(document_ids):
        conn.execute(delete(content_keys).where(_c.document_id.in_(some)))
        conn.execute(delete(work_keys).where(work_keys.c.document_id.in_(some)))


def first_of_work(conn: Connection, owner: str, document_ids: Collection[str]) -> dict[str, str]:
    """For each of these documents that shares a work with one that came to the library before it: the first such."""
    mine, earlier = documents.alias(), documents.alias()
    of_mine, of_earlier = work_keys.alias(), work_keys.alias()
    come = (earlier.c.revision, earlier.c.created_at, earlier.c.document_id)
    first = (
        select(earlier.c.document_id)
        .select_from(of_mine)
        .join(of_earlier, and_(of_earlier.c.owner == owner, of_earlier.c.work_key == of_mine.c.work_key))
        .join(earlier, earlier.c.document_id == of_earlier.c.document_id)
        .where(of_mine.c.document_id == mine.c.document_id)
        .where(earlier.c.deleted_at.is_(None), earlier.c.session_id.is_(None))
        .where(tuple_(*come) < tuple_(mine.c.revision, mine.c.created_at, mine.c.document_id))
        .order_by(*come)
        .limit(1)
        .scalar_subquery()
    )
    found: dict[str, str] = {}
    for some in chunks(document_ids):
        rows = conn.execute(select(mine.c.document_id, first.label("first")).where(mine.c.document_id.in_(some)))
        found.update({row.document_id: row.first for row in rows if row.first})
    return found
