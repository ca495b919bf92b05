"""What sessions use, on SQL."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, and_, delete, select

from kit.db.upsert import insert_for
from kit.times import Clock
from services.library.domain import Document
from services.library.repository.rows import document_of
from services.library.tables import documents, gatherings, preparations, session_documents, texts


class SqlUses:
    """Behind `ports.Uses`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def prepare(self, conn: Connection, session_id: str, owner: str) -> bool:
        p = preparations.c
        noted = insert_for(conn, preparations).values(
            session_id=session_id, owner=owner, discarded=False, created_at=self._clock.now()
        )
        # The update takes the row's lock, so that a discard at the same time comes before or after all of this.
        again = noted.on_conflict_do_update(
            index_elements=["session_id"],
            set_={"owner": owner},
            where=and_(p.owner == owner, p.discarded.is_(False)),
        )
        return conn.execute(again).rowcount == 1

    def discard(self, conn: Connection, session_id: str, owner: str) -> list[Document]:
        tombstone = insert_for(conn, preparations).values(
            session_id=session_id, owner=owner, discarded=True, created_at=self._clock.now()
        )
        mine = preparations.c.owner == owner
        stone = tombstone.on_conflict_do_update(index_elements=["session_id"], set_={"discarded": True}, where=mine)
        if conn.execute(stone).rowcount != 1:
            return []
        owned = and_(documents.c.session_id == session_id, documents.c.owner == owner)
        removed = [document_of(row) for row in conn.execute(select(documents).where(owned))]
        conn.execute(delete(texts).where(texts.c.document_id.in_([d.document_id for d in removed])))
        conn.execute(delete(documents).where(owned))
        conn.execute(delete(session_documents).where(session_documents.c.session_id == session_id))
        conn.execute(delete(gatherings).where(gatherings.c.session_id == session_id))
        return removed

    def link(self, conn: Connection, session_id: str, owner: str, document_ids: Collection[str]) -> None:
        wanted = sorted(set(document_ids))
        if not wanted:
            return
        known = conn.execute(select(documents.c.document_id).where(documents.c.document_id.in_(wanted))).scalars()
        rows = [{"document_id": known_id, "session_id": session_id, "owner": owner} for known_id in known]
        if rows:
            fresh = insert_for(conn, session_documents)
            conn.execute(fresh.on_conflict_do_nothing(index_elements=["document_id", "session_id"]), rows)

    def linked(self, conn: Connection, session_id: str) -> set[str]:
        s = session_documents.c
        return set(conn.execute(select(s.document_id).where(s.session_id == session_id)).scalars())

    def used_by(self, conn: Connection, document_id: str, owner: str) -> bool:
        s = session_documents.c
        query = select(s.session_id).where(s.document_id == document_id, s.owner == owner).limit(1)
        return conn.execute(query).scalar_one_or_none() is not None

    def sessions_of(self, conn: Connection, document_id: str, before: str, limit: int) -> list[str]:
        s = session_documents.c
        query = select(s.session_id).where(s.document_id == document_id)
        if before:
            query = query.where(s.session_id < before)
        return list(conn.execute(query.order_by(s.session_id.desc()).limit(limit)).scalars())
