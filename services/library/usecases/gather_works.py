"""GatherWorks: works that connectors find become documents of the session.

What was gathered once for a session and a question is noted with it, in the transaction that stores the documents: who
asks again, after a crash or on another replica, is given the same, and nobody outside is asked a second time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
from sqlalchemy import Connection

from kit.auth.grants import Grant
from kit.db.database import Database
from kit.errors import Forbidden
from kit.times import Clock, Instant
from services.library.connectors.asking import Answer, Asking
from services.library.connectors.fulltext import FullTexts, ReadText
from services.library.connectors.work import Found, merged
from services.library.domain import Document, Source, Status, sha256_of_text
from services.library.holdings import Arrival, AskedConnector, Gathered, GatheredWork, WorksWanted
from services.library.ingest import Place, from_file
from services.library.parsing.document import Kind
from services.library.parsing.facts import TITLE_MAX
from services.library.ports import Contents, Documents, Gatherings, Uses
from services.library.resolving import inline_id

MOST_EACH = 100
"""Works that one connector is asked for at most."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A document of the session with the connectors that found it; an `arrival` where it is a new one."""

    document_id: str
    connectors: tuple[str, ...]
    full_text: bool
    arrival: Arrival | None = None


class GatherWorks:
    def __init__(
        self,
        db: Database,
        documents: Documents,
        uses: Uses,
        contents: Contents,
        gatherings: Gatherings,
        asking: Asking,
        full_texts: FullTexts,
        clock: Clock,
    ) -> None:
        self._db = db
        self._documents = documents
        self._uses = uses
        self._contents = contents
        self._gatherings = gatherings
        self._asking = asking
        self._full_texts = full_texts
        self._clock = clock

    async def __call__(self, grant: Grant, wanted: WorksWanted) -> Gathered:
        """Works best first, and what came of each connector. Raises Forbidden for a session that never came to be."""
        digest = _digest(wanted)
        noted = await self._noted(grant, digest)
        if noted is None:
            await self._gather(grant, wanted, digest)
            noted = await self._noted(grant, digest)
        if noted is None:
            raise Forbidden("This session's inputs were discarded")
        return noted

    async def _gather(self, grant: Grant, wanted: WorksWanted, digest: str) -> None:
        names = tuple(dict.fromkeys(wanted.connectors)) or self._asking.enabled
        answers = await self._asking(names, wanted.query, min(wanted.limit_each, MOST_EACH))
        found = merged([(answer.connector, answer.works) for answer in answers])
        held, mine = await self._db.read(lambda conn: self._look_up(conn, grant, found))
        fresh = [each for each in found if not any(key in held for key in each.work.keys)]
        entries = await self._entries(grant, fresh, mine, full_text=wanted.full_text)
        arrivals = [each.arrival for each in entries if each.arrival is not None]
        for arrival in arrivals:
            await self._contents.keep(arrival.document, arrival.text, None)
        body = orjson.dumps(
            {
                "works": [[each.document_id, list(each.connectors), each.full_text] for each in entries],
                "asked": [_asked(answer, found, held) for answer in answers],
            }
        ).decode()
        now = self._clock.now()
        if await self._db.write(lambda conn: self._store(conn, grant, digest, body, arrivals, entries, now)):
            return
        for arrival in arrivals:
            await self._contents.forget(arrival.document)

    def _look_up(
        self, conn: Connection, grant: Grant, found: Sequence[Found]
    ) -> tuple[dict[str, str], dict[str, Document]]:
        """The works that the sources hold already, and those gathered for the session before, by key."""
        keys = [key for each in found for key in each.work.keys]
        held = self._gatherings.known_works(conn, grant.owner, keys, grant.documents)
        own = self._gatherings.of_session(conn, grant.session_id, grant.owner)
        given = {*grant.documents, *grant.datasets}
        held |= {key: each.document_id for each in own if each.document_id in given for key in each.work_keys}
        mine = [each for each in own if each.document_id not in given]
        return held, {key: document for document in reversed(mine) for key in _keys(document)}

    async def _entries(
        self, grant: Grant, found: list[Found], mine: Mapping[str, Document], *, full_text: bool
    ) -> list[_Entry]:
        there = [next((mine[key] for key in each.work.keys if key in mine), None) for each in found]
        new = [each for each, document in zip(found, there, strict=True) if document is None]
        texts = await self._full_texts(new) if full_text else {}
        now = self._clock.now()
        made = [
            await asyncio.to_thread(_entry, grant, each, texts.get(number), Instant(now + number))
            for number, each in enumerate(new)
        ]
        following = iter(made)
        entries: dict[str, _Entry] = {}
        for each, document in zip(found, there, strict=True):
            if document is None:
                entry = next(following)
            else:
                entry = _Entry(document.document_id, each.connectors, bool(document.source_url))
            entries.setdefault(entry.document_id, entry)
        return list(entries.values())

    def _store(
        self,
        conn: Connection,
        grant: Grant,
        digest: str,
        body: str,
        arrivals: Sequence[Arrival],
        entries: Sequence[_Entry],
        now: Instant,
    ) -> bool:
        """False when the session was discarded: then nothing of it may stay. Where another attempt was faster, what it
        noted counts; long texts of this one stay behind, for some may be the other's."""
        if not self._uses.prepare(conn, grant.session_id, grant.owner):
            return False
        if self._gatherings.note(conn, grant.session_id, digest, body, now):
            self._documents.store_for_session(conn, arrivals)
            used = [entry.document_id for entry in entries]
            self._uses.link(conn, grant.session_id, grant.owner, used)
        return True

    async def _noted(self, grant: Grant, digest: str) -> Gathered | None:
        def read(conn: Connection) -> Gathered | None:
            body = self._gatherings.gathered(conn, grant.session_id, digest)
            if body is None:
                return None
            noted = orjson.loads(body)
            held = self._documents.find_many(conn, [document_id for document_id, _, _ in noted["works"]])
            works = [
                GatheredWork(held[document_id].document, tuple(connectors), full_text)
                for document_id, connectors, full_text in noted["works"]
                if document_id in held and held[document_id].document.owner == grant.owner
            ]
            return Gathered(works, [AskedConnector(**each) for each in noted["asked"]])

        return await self._db.read(read)


def _entry(grant: Grant, found: Found, text: ReadText | None, at: Instant) -> _Entry:
    arrival = _from_abstract(grant, found, at) if text is None else _from_text(grant, found, text, at)
    return _Entry(arrival.document.document_id, found.connectors, text is not None, arrival)


def _from_abstract(grant: Grant, found: Found, at: Instant) -> Arrival:
    work = found.work
    text = work.abstract
    document = Document(
        document_id=_id(grant, found, text),
        owner=grant.owner,
        title=work.title[:TITLE_MAX],
        kind=Kind.TEXT.value,
        status=Status.READY,
        created_at=at,
        text_sha256=sha256_of_text(text),
        characters=len(text),
        authors=work.authors,
        year=work.year,
        doi=work.doi,
        url=work.url,
        metadata={"connectors": list(found.connectors), "part": "abstract"},
        source=Source(size=len(text.encode())),
        session_id=grant.session_id,
        csl=work.csl,
    )
    return Arrival(document, text)


def _from_text(grant: Grant, found: Found, text: ReadText, at: Instant) -> Arrival:
    work, parsed = found.work, text.parsed
    place = Place(_id(grant, found, parsed.text), grant.owner, at, grant.session_id)
    arrival = from_file(text.file, parsed, place, work.title)
    document = replace(
        arrival.document,
        authors=work.authors or parsed.authors,
        year=parsed.year if work.year is None else work.year,
        doi=work.doi or parsed.doi,
        url=work.url,
        csl=work.csl or parsed.csl,
        # The text is what is kept, not the file.
        source=Source(text.file.filename, text.file.content_type[:255], "", len(text.file.data)),
        source_url=text.source.url,
        metadata={"connectors": list(found.connectors), "part": "full text", "licence": text.source.licence},
    )
    return Arrival(document, arrival.text)


def _id(grant: Grant, found: Found, text: str) -> str:
    """The same work with the same text is the same document of a session, whoever gathers it."""
    return inline_id(grant.session_id, f"works/{found.work.keys[0]}/{sha256_of_text(text)}", 0)


def _keys(document: Document) -> tuple[str, ...]:
    return document.work_keys or (f"url:{document.url}|{document.title}",)


def _asked(answer: Answer, found: Sequence[Found], held: Mapping[str, str]) -> dict[str, object]:
    """What came of a connector: works found, and those among them that the sources hold already."""
    mine = [each for each in found if answer.connector in each.connectors]
    known = sum(any(key in held for key in each.work.keys) for each in mine)
    return {"connector": answer.connector, "found": len(answer.works), "held": known, "problem": answer.problem}


def _digest(wanted: WorksWanted) -> str:
    said = [wanted.query, list(dict.fromkeys(wanted.connectors)), wanted.limit_each, wanted.full_text]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()
