"""Bibliographies: what identifies a work is no statement about anything."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.engines.fakes import Context, Library, run_engine
from worker.engines.base import Job, WorkSpan
from worker.engines.research.engine import ResearchEngine
from worker.engines.research.works import title_at, without_heads
from worker.engines.text.sentences import split_sentences

ENTRIES: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "Shade and moss: a review of 50 trials is given here.\n\nIda Fenn, Olaf Moor (1998). Bog Science, 3, 11. "
        "https://doi.org/10.5555/bog.1\n\nAcross 50 trials, shade reduced the loss of water in moss. "
        "Moss in shade grew twice as tall.",
        {
            "title": "Shade and moss: a review of 50 trials is given here",
            "author": [{"family": "Fenn"}],
            "DOI": "10.5555/bog.1",
        },
    ),
    (
        "Moss is lost where shade is cut down.\n\nOlaf Moor (2003). Moss and shade are cut in bogs.",
        {"title": "Moss is lost where shade is cut down.", "issued": {"date-parts": [[2003]]}},
    ),
    (
        "The moss of the fen. Ida Fenn (2001). Fen Science. https://doi.org/10.5555/fen.2\n"
        "Shade kept the moss of eleven fens alive in dry years.",
        {"title": "The moss of the fen", "DOI": "10.5555/fen.2"},
    ),
    ("Moss needs shade in its first year.", {"id": "untitled"}),
)
STATEMENTS = [
    "Across 50 trials, shade reduced the loss of water in moss.",
    "Moss in shade grew twice as tall.",
    "Shade kept the moss of eleven fens alive in dry years.",
    "Moss needs shade in its first year.",
]


def bibliography() -> tuple[str, tuple[WorkSpan, ...]]:
    text, works = "", []
    for entry, csl in ENTRIES:
        works.append(WorkSpan(len(text), len(text) + len(entry), csl))
        text += f"{entry}\n\n"
    return text.rstrip(), tuple(works)


def test_sentences_begin_after_what_identifies_a_work() -> None:
    text, works = bibliography()
    kept = without_heads(text, split_sentences(text), works)
    assert [text[part.start : part.end] for part in kept] == STATEMENTS
    assert without_heads(text, split_sentences(text), ()) == split_sentences(text)


def test_a_place_is_in_the_work_that_is_described_there() -> None:
    text, works = bibliography()
    assert title_at(text.index("eleven"), works) == "The moss of the fen"
    assert title_at(len(text) - 1, works) == ""
    assert title_at(0, ()) == ""


@pytest.mark.parametrize("prompt", ["Does shade reduce the loss of moss?", "Summarise these documents."])
async def test_only_abstracts_of_listed_works_are_quoted(prompt: str) -> None:
    text, works = bibliography()
    sources = Library()
    sources.add("list", text, "works", works=works, pages=0)
    result = await run_engine(ResearchEngine(), Context(Job("s", "research", prompt), sources))
    quotes = {passage["quote"] for item in result["citations"] for passage in item["passages"]}
    assert quotes
    assert quotes <= set(STATEMENTS)
    citations = {item["id"]: item for item in result["citations"]}
    assert sorted(citations) == sorted(source["citation"] for source in result["sources"])
    for source in result["sources"]:
        entry = next(entry for entry, _ in ENTRIES if source["gist"]["text"] in entry)
        assert citations[source["citation"]]["passages"][0]["quote"] in entry
        assert citations[source["citation"]]["title"] == source["title"]
