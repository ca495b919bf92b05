"""Libraries and documents on SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, tuple_, update

from kit.bus.names import event_subject
from kit.db.outbox import Event, Outbox
from kit.db.prepared import Statement
from kit.db.upsert import insert_for
from kit.ids import Ids
from kit.paging import Page
from kit.times import Clock
from services.library.domain import Document, Status, same_content
from services.library.holdings import Arrival, Change, Held, Indexable, LibraryState, Stored
from services.library.repository.chunks import chunks
from services.library.repository.keys import claim_contents, drop_keys, find_contents, first_of_work, note_works
from services.library.repository.rows import document_of, held_of, indexable_of, values_of
from services.library.tables import documents, libraries, session_documents, texts
from services.library.works import content_key

_d = documents.c
_INDEXED = (_d.document_id, _d.title, _d.pages, _d.is_dataset, _d.deleted_at, _d.characters)
_IN_LIBRARY = and_(_d.deleted_at.is_(None), _d.session_id.is_(None))
_l = libraries.c
_STATE = Statement(
    select(_l.revision, _l.documents, _l.usable, _l.characters, _l.snapshot, _l.snapshot_revision).where(
        _l.owner == bindparam("of_owner")
    )
)


class SqlDocuments:
    """Behind `ports.Documents`."""

    def __init__(
        self, *, outbox: Outbox, ids: Ids, clock: Clock, encode: Callable[[Document, bool, int], bytes], row_bytes: int
    ) -> None:
        """`encode(document, deleted, at)` makes the payload of an event; texts up to `row_bytes` go into rows."""
        self._outbox = outbox
        self._ids = ids
        self._clock = clock
        self._encode = encode
        self._row_bytes = row_bytes

    def store(self, conn: Connection, owner: str, arrivals: Sequence[Arrival]) -> list[Stored]:
        revision = self._next_revision(conn, owner)
        now = self._clock.now()
        current = self._by_external_id(
            conn, owner, [a.document.external_id for a in arrivals if a.document.external_id]
        )
        keys = [content_key(a.document) for a in arrivals]
        held = find_contents(conn, owner, {key for key in keys if key})
        claims: dict[str, str] = {}
        stored: list[Stored] = []
        fresh: dict[str, Arrival] = {}
        gone: dict[str, Document] = {}
        for arrival, key in zip(arrivals, keys, strict=True):
            document = arrival.document
            if key in held:
                copied = held[key]
                stored.append(Stored(replace(copied, duplicate_of=copied.document_id), Change.UNCHANGED))
                continue
            if key:
                held[key] = document
                claims[key] = document.document_id
            old = current.get(document.external_id) if document.external_id else None
            if old is not None and same_content(old, document):
                stored.append(Stored(old, Change.UNCHANGED))
                continue
            if old is not None:
                gone[old.document_id] = old
            if document.external_id:
                current[document.external_id] = document
            fresh[document.document_id] = arrival
            stored.append(Stored(document, Change.CREATED if old is None else Change.REPLACED))
        self._mark_deleted(conn, [key for key in gone if key not in fresh], revision, now)
        rows = [values_of(arrival.document, revision, now if key in gone else None) for key, arrival in fresh.items()]
        for some in chunks(rows):
            conn.execute(insert(documents), some)
        self._insert_texts(conn, fresh.values())
        claim_contents(conn, owner, [*claims.items()])
        drop_keys(conn, gone)
        note_works(conn, [a.document for key, a in fresh.items() if key not in gone])
        self._count(conn, owner, [a.document for a in fresh.values()], list(gone.values()))
        self._tell(conn, [(a.document, False) for a in fresh.values()] + [(old, True) for old in gone.values()], now)
        works = self.same_works(conn, owner, [each.document for each in stored])
        return [Stored(document, each.change) for each, document in zip(stored, works, strict=True)]

    def store_for_session(self, conn: Connection, arrivals: Sequence[Arrival]) -> None:
        rows = [values_of(arrival.document, 0, None) for arrival in arrivals]
        if rows:
            conn.execute(insert_for(conn, documents).on_conflict_do_nothing(index_elements=["document_id"]), rows)
            self._insert_texts(conn, arrivals)

    def delete(self, conn: Connection, owner: str, document_id: str) -> bool:
        row = conn.execute(select(documents).where(_d.document_id == document_id, _d.owner == owner, _IN_LIBRARY))
        if row.one_or_none() is None:
            return False
        revision = self._next_revision(conn, owner)
        now = self._clock.now()
        # Read again: two deletions may have come as far as here.
        found = conn.execute(
            update(documents)
            .where(_d.document_id == document_id, _IN_LIBRARY)
            .values(deleted_at=now, revision=revision)
            .returning(documents)
        ).one_or_none()
        if found is None:
            return False
        document = document_of(found)
        drop_keys(conn, [document_id])
        self._count(conn, owner, [], [document])
        self._tell(conn, [(document, True)], now)
        return True

    def find(self, conn: Connection, document_id: str) -> Held | None:
        row = conn.execute(select(documents).where(_d.document_id == document_id)).one_or_none()
        return held_of(row) if row else None

    def find_many(self, conn: Connection, document_ids: Collection[str]) -> dict[str, Held]:
        found: dict[str, Held] = {}
        for some in chunks(document_ids):
            for row in conn.execute(select(documents).where(_d.document_id.in_(some))):
                found[row.document_id] = held_of(row)
        return found

    def fetched(self, conn: Connection, session_id: str) -> list[Document]:
        query = select(documents).where(_d.session_id == session_id, _d.source_url != "")
        return [document_of(row) for row in conn.execute(query.order_by(_d.document_id))]

    def listed(self, conn: Connection, owner: str, page: Page) -> tuple[list[Document], int]:
        query = select(documents).where(_d.owner == owner, _IN_LIBRARY)
        if page.after is not None:
            after = page.after
            older = and_(_d.created_at == after.created_at, _d.document_id < after.id)
            query = query.where(or_(_d.created_at < after.created_at, older))
        query = query.order_by(_d.created_at.desc(), _d.document_id.desc()).limit(page.limit).offset(page.offset)
        found = [document_of(row) for row in conn.execute(query)]
        return self.same_works(conn, owner, found), self.state(conn, owner).documents

    def same_works(self, conn: Connection, owner: str, found: Sequence[Document]) -> list[Document]:
        keyed = [document.document_id for document in found if document.work_keys]
        first = first_of_work(conn, owner, keyed) if keyed else {}
        return [replace(each, same_work_as=first.get(each.document_id, "")) for each in found] if first else [*found]

    def readable(self, conn: Connection, owner: str, after: tuple[int, str], limit: int) -> list[Document]:
        query = (
            select(documents)
            .where(_d.owner == owner, _IN_LIBRARY, _d.status == Status.READY.value)
            .where(tuple_(_d.created_at, _d.document_id) > after)
            .order_by(_d.created_at, _d.document_id)
            .limit(limit)
        )
        return [document_of(row) for row in conn.execute(query)]

    def state(self, conn: Connection, owner: str) -> LibraryState:
        row = _STATE.first(conn, {"of_owner": owner})
        if row is None:
            return LibraryState()
        revision, listed, usable, characters, snapshot, snapshot_revision = row
        return LibraryState(revision, listed, usable, characters, snapshot or "", snapshot_revision)

    def changes(self, conn: Connection, owner: str, since: int) -> list[Indexable]:
        query = select(*_INDEXED).where(_d.owner == owner, _d.revision > since, _d.session_id.is_(None))
        if not since:
            query = query.where(_d.deleted_at.is_(None))
        return [indexable_of(row) for row in conn.execute(query.order_by(_d.revision, _d.document_id))]

    def indexable(self, conn: Connection, document_ids: Collection[str]) -> list[Indexable]:
        found: list[Indexable] = []
        for some in chunks(sorted(document_ids)):
            ready = select(*_INDEXED).where(_d.document_id.in_(some), _d.characters > 0)
            # What a session was given it keeps, deleted or not.
            found += [indexable_of(row, kept=True) for row in conn.execute(ready.order_by(_d.document_id))]
        return found

    def set_snapshot(self, conn: Connection, owner: str, key: str, revision: int) -> str | None:
        c = libraries.c
        old = conn.execute(select(c.snapshot).where(c.owner == owner).with_for_update()).scalar_one_or_none()
        newer = update(libraries).where(c.owner == owner, c.snapshot_revision <= revision)
        changed = conn.execute(newer.values(snapshot=key, snapshot_revision=revision)).rowcount
        return old if changed else key

    def purge(self, conn: Connection, before: int, limit: int) -> list[Document]:
        used = select(session_documents.c.session_id).where(session_documents.c.document_id == _d.document_id)
        old = select(documents).where(_d.deleted_at < before, ~used.exists()).order_by(_d.deleted_at).limit(limit)
        removed = [document_of(row) for row in conn.execute(old)]
        gone = [document.document_id for document in removed]
        # A release from before leaves the keys of what it deletes.
        drop_keys(conn, gone)
        conn.execute(delete(texts).where(texts.c.document_id.in_(gone)))
        conn.execute(delete(documents).where(_d.document_id.in_(gone)))
        return removed

    def texts(self, conn: Connection, document_ids: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for some in chunks(document_ids):
            rows = conn.execute(select(texts).where(texts.c.document_id.in_(some)))
            found.update({row.document_id: row.body for row in rows})
        return found

    def _next_revision(self, conn: Connection, owner: str) -> int:
        fresh = insert_for(conn, libraries).values(
            owner=owner, revision=1, documents=0, usable=0, characters=0, snapshot_revision=0
        )
        bumped = fresh.on_conflict_do_update(
            index_elements=["owner"], set_={"revision": libraries.c.revision + 1}
        ).returning(libraries.c.revision)
        return int(conn.execute(bumped).scalar_one())

    def _by_external_id(self, conn: Connection, owner: str, external_ids: Sequence[str]) -> dict[str, Document]:
        found: dict[str, Document] = {}
        for some in chunks(external_ids):
            rows = conn.execute(select(documents).where(_d.owner == owner, _d.external_id.in_(some), _IN_LIBRARY))
            found.update({row.external_id: document_of(row) for row in rows})
        return found

    def _mark_deleted(self, conn: Connection, document_ids: Sequence[str], revision: int, now: int) -> None:
        for some in chunks(document_ids):
            gone = update(documents).where(_d.document_id.in_(some))
            conn.execute(gone.values(deleted_at=now, revision=revision))

    def _insert_texts(self, conn: Connection, arrivals: Collection[Arrival]) -> None:
        rows = [
            {"document_id": a.document.document_id, "body": a.text}
            for a in arrivals
            if a.text and in_row(a.text, self._row_bytes)
        ]
        for some in chunks(rows):
            conn.execute(insert_for(conn, texts).on_conflict_do_nothing(index_elements=["document_id"]), some)

    def _count(self, conn: Connection, owner: str, came: Sequence[Document], went: Sequence[Document]) -> None:
        c = libraries.c
        usable_came, usable_went = [d for d in came if usable(d)], [d for d in went if usable(d)]
        characters = sum(d.characters for d in usable_came) - sum(d.characters for d in usable_went)
        conn.execute(
            update(libraries)
            .where(c.owner == owner)
            .values(
                documents=c.documents + (len(came) - len(went)),
                usable=c.usable + (len(usable_came) - len(usable_went)),
                characters=c.characters + characters,
            )
        )

    def _tell(self, conn: Connection, changes: Sequence[tuple[Document, bool]], now: int) -> None:
        for some in chunks(changes):
            self._outbox.append(conn, [self._event(document, deleted, now) for document, deleted in some])

    def _event(self, document: Document, deleted: bool, now: int) -> Event:
        kind = "document.deleted" if deleted else "document.stored"
        return Event(
            id=self._ids.new(),
            type=kind,
            subject=event_subject("library", kind),
            key=document.document_id,
            payload=self._encode(document, deleted, now),
            created_at=now,
        )


def in_row(text: str, most: int) -> bool:
    """Whether a text is small enough for a row: at most `most` bytes."""
    return len(text) <= most and (text.isascii() or len(text.encode()) <= most)


def usable(document: Document) -> bool:
    """Whether a session that names no document would read it."""
    return document.searchable and not document.is_dataset
