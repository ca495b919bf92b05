"""What connectors answered, and what was gathered for sessions, on SQL."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from kit.db.upsert import insert_for
from services.library.domain import Document, Status
from services.library.repository.chunks import chunks
from services.library.repository.rows import document_of
from services.library.tables import connector_answers, documents, gatherings, work_keys

_a = connector_answers.c
_d = documents.c
_g = gatherings.c
_w = work_keys.c


class SqlGatherings:
    """Behind `ports.Gatherings`."""

    def answer(self, conn: Connection, key: str, since: int) -> str | None:
        query = select(_a.works).where(_a.answer_key == key, _a.created_at >= since)
        return conn.execute(query).scalar_one_or_none()

    def keep_answer(self, conn: Connection, key: str, works: str, now: int) -> None:
        fresh = insert_for(conn, connector_answers).values(answer_key=key, works=works, created_at=now)
        newer = {"works": fresh.excluded.works, "created_at": fresh.excluded.created_at}
        conn.execute(fresh.on_conflict_do_update(index_elements=["answer_key"], set_=newer))

    def prune_answers(self, conn: Connection, before: int, limit: int) -> int:
        old = select(_a.answer_key).where(_a.created_at < before).order_by(_a.created_at).limit(limit)
        keys = list(conn.execute(old).scalars())
        conn.execute(delete(connector_answers).where(_a.answer_key.in_(keys), _a.created_at < before))
        return len(keys)

    def gathered(self, conn: Connection, session_id: str, digest: str) -> str | None:
        query = select(_g.gathered).where(_g.session_id == session_id, _g.digest == digest)
        return conn.execute(query).scalar_one_or_none()

    def note(self, conn: Connection, session_id: str, digest: str, gathered: str, now: int) -> bool:
        fresh = insert_for(conn, gatherings).values(
            session_id=session_id, digest=digest, gathered=gathered, created_at=now
        )
        return conn.execute(fresh.on_conflict_do_nothing(index_elements=["session_id", "digest"])).rowcount == 1

    def ids_of_session(self, conn: Connection, session_id: str, owner: str) -> list[str]:
        mine = select(_d.document_id).where(_d.session_id == session_id, _d.owner == owner)
        readable = mine.where(_d.status == Status.READY.value, _d.characters > 0)
        return list(conn.execute(readable.order_by(_d.document_id)).scalars())

    def of_session(self, conn: Connection, session_id: str, owner: str) -> list[Document]:
        query = select(documents).where(_d.session_id == session_id, _d.owner == owner).order_by(_d.document_id)
        return [document_of(row) for row in conn.execute(query)]

    def known_works(
        self, conn: Connection, owner: str, keys: Collection[str], among: Collection[str]
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        held = select(_w.work_key, _w.document_id).join(documents, _d.document_id == _w.document_id)
        held = held.where(_w.owner == owner, _d.deleted_at.is_(None), _d.session_id.is_(None))
        for some in chunks(keys):
            rows = conn.execute(held.where(_w.work_key.in_(some)).order_by(_w.document_id.desc()))
            found.update({row.work_key: row.document_id for row in rows if not among or row.document_id in among})
        return found
