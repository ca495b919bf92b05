"""What connectors find becomes documents of the session, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from kit.db.database import Database
from prsm.library.v1 import internal_pb2
from services.library.fetching.fetch import Fetcher
from services.library.fetching.targets import Policy
from services.library.parsing.pool import ParserPool
from services.library.tables import connector_answers, documents, gatherings
from tests.integration.library.inputs import text
from tests.integration.library.refusals import refused
from tests.integration.library.stand import OTHER_SESSION, Stand
from tests.support.scholarly.papers import FEN, MOSS, PEAT
from tests.support.scholarly.server import NAMES, Fault, Scholarly, running_scholarly

QUERY = "rewetting peatlands carbon"
Gathered = list[internal_pb2.GatherWorksResponse]


@pytest.fixture
async def server() -> AsyncIterator[Scholarly]:
    async with running_scholarly() as server:
        yield server


def settings(server: Scholarly, **more: Any) -> dict[str, Any]:
    return {
        "connectors": list(NAMES),
        "connector_urls": server.urls(),
        "connector_intervals": dict.fromkeys(NAMES, 0),
        **more,
    }


@pytest.fixture
async def stand(db: Database, pool: ParserPool, tmp_path: Path, server: Scholarly) -> AsyncIterator[Stand]:
    stand = Stand(db, pool, tmp_path, **settings(server))
    await stand.start()
    yield stand
    await stand.stop()


@pytest.fixture
async def local(file_db: Database, pool: ParserPool, tmp_path: Path, server: Scholarly) -> AsyncIterator[Stand]:
    """On SQLite alone."""
    stand = Stand(file_db, pool, tmp_path, **settings(server))
    await stand.start()
    yield stand
    await stand.stop()


def works(gathered: Gathered) -> list[internal_pb2.GatheredWork]:
    return [work for page in gathered for work in page.works]


def asked(gathered: Gathered) -> dict[str, tuple[int, int, str]]:
    return {each.connector: (each.found, each.held, each.problem) for page in gathered for each in page.asked}


async def count(stand: Stand, table: Any) -> int:
    found = await stand.db.read(lambda conn: conn.execute(select(func.count()).select_from(table)).scalar_one())
    return int(found)


async def test_works_become_documents_that_the_grant_covers(stand: Stand, server: Scholarly) -> None:
    grant = stand.grant()
    found = {work.card.title: work for work in works(await stand.works(grant, QUERY))}
    assert set(found) >= {PEAT.title, MOSS.title, FEN.title}
    peat = found[PEAT.title]
    assert (peat.card.doi, peat.card.year) == (PEAT.doi, PEAT.year)
    assert set(peat.connectors) == {"openalex", "crossref", "europepmc"}
    # One is open access with a full text that its connector serves; of the others the abstract is the document.
    assert {title for title, work in found.items() if work.full_text} == {PEAT.title}
    title, body = await stand.content(grant, peat.card.document_id)
    assert title == PEAT.title
    assert PEAT.body in body.decode()
    assert (await stand.content(grant, found[FEN.title].card.document_id))[1].decode() == FEN.abstract
    hits = await stand.passages("water tables raised", grant, passages=True)
    assert hits[0].document_id == peat.card.document_id
    assert body.decode()[hits[0].start : hits[0].end] == hits[0].quote
    # They are no part of the library, and of no other session.
    assert await stand.cards(grant) == []
    assert [card.document_id for card in await stand.cards(grant, peat.card.document_id)] == [peat.card.document_id]
    other = stand.grant(session=OTHER_SESSION)
    assert await stand.passages("rewetting", other) == []
    assert (await refused(stand.content(other, peat.card.document_id))).name == "DOCUMENT_NOT_FOUND"
    stranger = stand.grant(owner="ben")
    assert await stand.passages("rewetting", stranger) == []
    assert (await refused(stand.content(stranger, peat.card.document_id))).name == "DOCUMENT_NOT_FOUND"


async def test_asked_again_it_gives_the_same_and_asks_nobody(
    stand: Stand, server: Scholarly, db: Database, pool: ParserPool, tmp_path: Path
) -> None:
    first = await stand.works(stand.grant(), QUERY)
    requests, stored = server.requests, await count(stand, documents)
    server.papers = []
    replica = Stand(db, pool, tmp_path, **settings(server))
    await replica.start()
    try:
        assert await replica.works(replica.grant(), QUERY) == first
        assert await stand.works(stand.grant(), QUERY) == first
    finally:
        await replica.stop()
    assert server.requests == requests
    assert await count(stand, documents) == stored


async def test_another_session_costs_no_request_while_answers_are_fresh(local: Stand, server: Scholarly) -> None:
    first = await local.works(local.grant(), QUERY, full_text=False)
    requests = server.requests
    again = await local.works(local.grant(session=OTHER_SESSION), QUERY, full_text=False)
    assert server.requests == requests
    assert [work.card.title for work in works(again)] == [work.card.title for work in works(first)]
    assert not {work.card.document_id for work in works(again)} & {work.card.document_id for work in works(first)}
    local.clock.advance(seconds=25 * 3600)
    assert await local.app.prune_answers() == await count(local, connector_answers) + 4 == 4
    await local.works(local.grant(session=OTHER_SESSION), QUERY, limit_each=9, full_text=False)
    assert server.requests > requests


async def test_a_second_question_finds_the_documents_of_the_first(local: Stand, server: Scholarly) -> None:
    first = {work.card.title: work.card.document_id for work in works(await local.works(local.grant(), QUERY))}
    requests = len(server.asked["fulltext"])
    second = works(await local.works(local.grant(), "moss rewetted peatlands"))
    assert {work.card.title for work in second} & first.keys() >= {PEAT.title, MOSS.title}
    assert {work.card.document_id for work in second if work.card.title in first} <= set(first.values())
    assert [work.full_text for work in second if work.card.title == PEAT.title] == [True]
    assert len(server.asked["fulltext"]) == requests


async def test_what_the_sources_hold_is_not_stored_again(stand: Stand) -> None:
    mine = await stand.create("My own copy.", title="A copy", metadata={"doi": PEAT.doi})
    gathered = await stand.works(stand.grant(), QUERY)
    assert PEAT.title not in {work.card.title for work in works(gathered)}
    assert asked(gathered)["crossref"][1] == 1
    assert asked(gathered)["arxiv"][1] == 0
    # A session that names other documents does not read that copy.
    prepared = await stand.prepare(documents=[text("Notes", "Peat.")])
    grant = stand.grant(documents=[prepared.documents[0].document_id])
    gathered = await stand.works(grant, "rewetting bogs")
    assert PEAT.title in {work.card.title for work in works(gathered)}
    found = {hit.document_id for hit in await stand.passages("peat peatlands", grant)}
    assert mine.document_id not in found
    assert prepared.documents[0].document_id in found
    assert len(found) > 1


async def test_the_library_and_works_are_ranked_together(local: Stand) -> None:
    own = await local.create("Rewetting of peatlands in our valley: water stood at the surface.", title="Valley")
    grant = local.grant()
    await local.works(grant, QUERY)
    hits = await local.passages("rewetting peatlands", grant)
    assert own.document_id in {hit.document_id for hit in hits}
    assert len({hit.document_id for hit in hits}) > 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_one_that_fails_is_told_and_the_others_go_on(local: Stand, server: Scholarly) -> None:
    server.fail("arxiv", Fault(400))
    server.fail("crossref", Fault(429, headers={"Retry-After": "600"}))
    gathered = await local.works(local.grant(), QUERY)
    told = asked(gathered)
    assert told["arxiv"] == (0, 0, "refuses the request (HTTP 400)")
    assert told["crossref"][2] == "allows no more requests for now (for 600 s)"
    assert told["openalex"][0] > 0
    assert told["openalex"][2] == ""
    assert PEAT.title in {work.card.title for work in works(gathered)}
    # What failed is not kept: another session asks it again.
    again = await local.works(local.grant(session=OTHER_SESSION), QUERY)
    assert asked(again)["arxiv"][2] == ""


async def test_a_full_text_that_fails_leaves_the_abstract(local: Stand, server: Scholarly) -> None:
    server.fail("fulltext", Fault(body=b"<article><body>cut", content_type="application/xml"))
    (peat,) = [work for work in works(await local.works(local.grant(), QUERY)) if work.card.title == PEAT.title]
    assert not peat.full_text
    assert peat.card.characters < 600


@pytest.mark.parametrize(
    ("licence", "allowed"), [("cc-by", True), ("cc-by-nc", False), ("publisher-specific-oa", False)]
)
async def test_a_publishers_file_where_its_licence_allows_it(
    licence: str, allowed: bool, file_db: Database, pool: ParserPool, tmp_path: Path, server: Scholarly
) -> None:
    server.papers = [replace(PEAT, licence=licence)]
    fetcher = Fetcher(Policy((IPv4Network("127.0.0.1/32"),), frozenset({int(server.url.rpartition(":")[2])})))
    stand = Stand(file_db, pool, tmp_path, fetcher=fetcher, **settings(server, connectors=["openalex"]))
    await stand.start()
    try:
        (peat,) = works(await stand.works(stand.grant(), QUERY))
        body = (await stand.content(stand.grant(), peat.card.document_id))[1].decode()
    finally:
        await stand.stop()
        await fetcher.close()
    assert (peat.full_text, peat.card.kind) == ((True, "pdf") if allowed else (False, "text"))
    assert ("Water tables were raised" in body) is allowed
    # What is known of the work goes before what its file says.
    assert (peat.card.title, peat.card.doi, peat.card.year) == (PEAT.title, PEAT.doi, PEAT.year)
    assert bool(server.asked["files"]) is allowed


async def test_files_elsewhere_are_left_where_fetching_is_off(local: Stand, server: Scholarly) -> None:
    server.papers = [replace(PEAT, pmcid="")]
    (peat,) = works(await local.works(local.grant(), QUERY))
    assert not peat.full_text
    assert not server.asked["files"]


async def test_two_attempts_at_once_come_to_the_same(stand: Stand) -> None:
    first, second = await asyncio.gather(*(stand.works(stand.grant(), QUERY) for _ in range(2)))
    assert first == second
    found = {work.card.document_id for work in works(first)}
    assert await count(stand, documents) == len(found)
    for document_id in found:
        assert (await stand.content(stand.grant(), document_id))[1]


async def test_chosen_connectors_alone_are_asked(local: Stand, server: Scholarly) -> None:
    gathered = await local.works(local.grant(), QUERY, connectors=["europepmc", "nowhere"])
    assert set(server.asked) == {"europepmc", "fulltext"}
    assert asked(gathered)["nowhere"] == (0, 0, "is not enabled here")


async def test_a_discarded_session_gathers_nothing(stand: Stand) -> None:
    await stand.works(stand.grant(), QUERY)
    await stand.discard()
    assert await count(stand, gatherings) == await count(stand, documents) == 0
    assert (await refused(stand.works(stand.grant(), QUERY))).name == "FORBIDDEN"
    assert await count(stand, documents) == 0


async def test_sessions_are_told_what_is_enabled(local: Stand) -> None:
    assert list((await local.prepare(use_library=True)).connectors) == sorted(NAMES)
