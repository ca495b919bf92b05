"""The four services' real formats, paging and query languages, spoken by a local server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.library.connectors.licences import licence_of
from tests.support.scholarly.papers import FEN, GONE, MOSS, PEAT, Paper
from tests.support.scholarly.server import NAMES, Scholarly, running_scholarly
from tests.unit.library.connecting import CONTACT, Bench, bench

QUERY = "rewetting peatlands"
EACH = {
    "openalex": {PEAT.title, MOSS.title, FEN.title},
    "arxiv": {MOSS.title, FEN.title},
    "crossref": {PEAT.title, MOSS.title},
    "europepmc": {PEAT.title, MOSS.title},
}
HOLDING = {"rewetting", "peatlands"}


@pytest.fixture
async def server() -> AsyncIterator[Scholarly]:
    async with running_scholarly() as server:
        yield server


@pytest.fixture
async def at(server: Scholarly) -> AsyncIterator[Bench]:
    made = bench(server)
    yield made
    await made.close()


@pytest.mark.parametrize("name", NAMES)
async def test_works_come_whole(name: str, server: Scholarly, at: Bench) -> None:
    works = {work.title: work for work in await at.connectors[name].search(QUERY, 10)}
    expected = {title for title in EACH[name] if _paper(title).words >= HOLDING or name == "crossref"}
    # What holds all words is found by the narrow search, the rest by the wide one.
    assert expected <= set(works)
    assert GONE.title not in works
    for title in expected:
        paper, work = _paper(title), works[title]
        assert work.abstract.removeprefix("Background\n\n") == paper.abstract
        assert work.authors == tuple(f"{given} {family}" for given, family in paper.authors)
        assert work.year == paper.year
        assert work.doi == (paper.doi or f"10.48550/arXiv.{paper.arxiv}" if name == "arxiv" else paper.doi)
        assert work.csl["title"] == title
        assert work.csl["issued"]["date-parts"][0][0] == paper.year
        assert work.url.startswith("https://")


def _paper(title: str) -> Paper:
    return next(paper for paper in (PEAT, MOSS, FEN) if paper.title == title)


async def test_citations_know_journal_pages_and_names(at: Bench) -> None:
    for name in ("crossref", "europepmc"):
        (work,) = [each for each in await at.connectors[name].search("drained peatlands", 10) if each.doi == PEAT.doi]
        assert work.csl["author"][0] == {"family": "Lindqvist", "given": "Ada"}
        assert (work.csl["container-title"], work.csl["page"]) == (PEAT.journal, "11-29")
        assert work.csl["type"] == "article-journal"


async def test_full_texts_where_the_licence_is_known(server: Scholarly, at: Bench) -> None:
    found = {name: await at.connectors[name].search("drained peatlands emissions", 5) for name in NAMES}
    texts = {
        name: [text for work in works if work.doi == PEAT.doi for text in work.full_texts]
        for name, works in found.items()
    }
    assert [licence_of(text.licence) for name in ("openalex", "crossref", "europepmc") for text in texts[name]] == [
        "cc-by"
    ] * 3
    (own,) = texts["europepmc"]
    assert own.own
    assert own.url == f"{server.url}/europepmc/{PEAT.pmcid}/fullTextXML"
    filename, content_type, data = await at.connectors["europepmc"].full_text(own.url)
    assert (filename, content_type) == (f"{PEAT.pmcid}.xml", "application/xml")
    assert PEAT.body.encode() in data
    # arXiv tells no licence: what is not known is not taken.
    assert not any(work.full_texts for work in found["arxiv"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["", "secret"])
async def test_pages_one_after_the_other(name: str, key: str, server: Scholarly) -> None:
    server.papers = [replace(PEAT, title=f"Peat study number {n}", doi=f"10.5555/p.{n}", arxiv=f"2001.0{1000 + n}")
                     for n in range(7)]  # fmt: skip
    at = bench(server, key=key, page_size=2)
    works = await at.connectors[name].search("peat", 5)
    assert [work.title for work in works] == [f"Peat study number {n}" for n in range(5)]
    assert len(server.asked[name]) == 3
    if name == "openalex":
        places = [(each.get("page"), each.get("cursor")) for each in server.asked[name]]
        without = [("1", None), ("2", None), ("3", None)]
        assert places == ([(None, "*"), (None, "2"), (None, "4")] if key else without)
    await at.close()


@pytest.mark.parametrize("name", NAMES)
async def test_as_many_as_there_are(name: str, server: Scholarly, at: Bench) -> None:
    server.papers = [replace(PEAT, arxiv="2001.01000")]
    assert len(await at.connectors[name].search("rewetting", 50)) == 1
    server.papers = []
    assert await at.connectors[name].search("nothing", 50) == []


async def test_everybody_is_told_who_asks(server: Scholarly, at: Bench) -> None:
    for name in NAMES:
        await at.connectors[name].search("rewetting", 1)
    assert {each["agent"] for asked in server.asked.values() for each in asked} == {f"prsm-library (mailto:{CONTACT})"}
    assert server.asked["openalex"][0]["mailto"] == server.asked["crossref"][0]["mailto"] == CONTACT
    assert server.asked["europepmc"][0]["email"] == CONTACT


async def test_a_narrow_search_then_a_wide_one(server: Scholarly, at: Bench) -> None:
    works = await at.connectors["openalex"].search("rewetting fens methane moss ploughed", 10)
    assert [each["search"] for each in server.asked["openalex"]] == [
        "rewetting AND fens AND methane AND moss",
        "rewetting OR fens OR methane OR moss OR ploughed",
    ]
    assert works[0].title == FEN.title
    assert len(works) == 4


@pytest.mark.parametrize("name", NAMES)
async def test_a_query_holds_nothing_but_words(name: str, server: Scholarly, at: Bench) -> None:
    hostile = 'peat") OR (au:smith ANDNOT *:* TITLE:"x" {a TO b} ~2 ^9 \\ && || ! filter=is_oa:true, NOT not'
    await at.connectors[name].search(hostile, 5)
    parameter = {"openalex": "search", "arxiv": "search_query", "crossref": "query.bibliographic", "europepmc": "query"}
    for asked in server.asked[name]:
        words = asked[parameter[name]].replace("all:", "").replace(" AND HAS_ABSTRACT:Y", "")
        plain = words.removeprefix("(").removesuffix(")").replace(" AND ", " ").replace(" OR ", " ").split()
        assert plain == ["peat", "au", "smith", "title", "filter", "is", "oa", "true"][: len(plain)]
    assert await at.connectors[name].search("?? ()", 5) == []
