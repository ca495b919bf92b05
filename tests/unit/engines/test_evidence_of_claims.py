"""Claims and findings say which passages they rest on, by citation and place in its list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.engines.fakes import Context, run_engine
from tests.unit.engines.sample import library
from worker.engines.base import Job
from worker.engines.research.engine import ResearchEngine
from worker.engines.synthesis.engine import SynthesisEngine

SPACED = "How does spaced practice affect long-term retention?"
SLEEP = "What does sleep do to memories and to long-term retention?"
NOWHERE = "Which kinds of yeast raise the retention of sleep in orbit?"


async def research(prompt: str) -> dict[str, Any]:
    return await run_engine(ResearchEngine(), Context(Job("s", "research", prompt), library()))


def stated(document: dict[str, Any]) -> list[dict[str, Any]]:
    claims = [claim for section in document["sections"] for claim in section["claims"]]
    return [item for item in (*document["key_findings"], *claims) if item["citations"]]


def quotes(document: dict[str, Any], item: dict[str, Any]) -> list[str]:
    passages = {citation["id"]: citation["passages"] for citation in document["citations"]}
    return [passages[ref["citation"]][ref["passage"]]["quote"] for ref in item["evidence"]]


@pytest.mark.parametrize("prompt", [SPACED, SLEEP, NOWHERE])
async def test_a_statement_rests_on_its_own_sentence_first_and_on_each_source_it_cites(prompt: str) -> None:
    document = await research(prompt)
    items = stated(document)
    assert items
    for item in items:
        first, *_ = quotes(document, item)
        assert " ".join(first.split()).startswith(item["text"].rstrip("."))
        assert [ref["citation"] for ref in item["evidence"]] == item["citations"]
        assert "quote" not in item or item["quote"] == first


async def test_a_merged_statement_rests_on_the_passages_of_its_sessions_in_the_merged_list() -> None:
    sources = library()
    sources.results = {"s1": await research(SPACED), "s2": await research(SLEEP)}
    job = Job("s", "synthesis", "What is known about retention?", sessions=("s1", "s2"))
    document = await run_engine(SynthesisEngine(), Context(job, sources))
    items = stated(document)
    assert items
    for item in items:
        expected = [entry["passage"]["quote"] for entry in item["provenance"] if entry["passage"]]
        assert quotes(document, item) == list(dict.fromkeys(expected))
        assert {ref["citation"] for ref in item["evidence"]} == set(item["citations"])
