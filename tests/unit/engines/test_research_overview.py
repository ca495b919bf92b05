"""Prompts that ask what the documents say, and of no subject."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eval.checks import flow_problems
from tests.unit.engines.fakes import Context, Library, run_engine
from tests.unit.engines.sample import SPACING, library
from tests.unit.engines.test_research_plan import plan_of
from worker.engines.base import EngineError, Job
from worker.engines.research import confidence
from worker.engines.research.engine import ResearchEngine
from worker.engines.research.intent import asks_overview
from worker.engines.research.survey import representative, survey
from worker.engines.text.identifiers import text_sha256

PROMPT = "What are the main findings of these documents, and what evidence do they give?"


def context_for(prompt: str = PROMPT, sources: Library | None = None, **job: Any) -> Context:
    return Context(Job("session", "research", prompt, **job), sources or library())


async def result_for(prompt: str = PROMPT, sources: Library | None = None, **job: Any) -> dict[str, Any]:
    return await run_engine(ResearchEngine(), context_for(prompt, sources, **job))


@pytest.mark.parametrize(
    "prompt",
    [
        PROMPT,
        "Summarise these papers.",
        "Please summarize the attached files in 200 words",
        "What are these documents about?",
        "Give me an overview of my library.",
        "key messages",
        "What do the sources conclude, and why?",
        "What does the study show? What are its conclusions?",
        "List the most important points of each article",
        "What is important here?",
        "What is reported?",
        "Was sind die wichtigsten Ergebnisse dieser Dokumente?",
        "Fasse diese Texte zusammen.",
        "Quels sont les principaux résultats de ces documents ?",
        "¿Cuáles son los principales resultados de estos documentos?",
    ],
)
def test_prompts_without_a_subject_ask_for_an_overview(prompt: str) -> None:
    assert asks_overview(prompt)
    found = plan_of(prompt)
    assert found.overview
    assert found.terms == ()


@pytest.mark.parametrize(
    "prompt",
    [
        "What are the main findings on soil carbon?",
        "Summarise these documents about sleep",
        "What evidence is there that sleep helps?",
        "Which methods do these papers use?",
        "How many documents are there?",
        "What is a summary?",
        "What is research?",
        "How should one study?",
        "What is IT?",
        "2019",
        "qwertz",
        "",
    ],
)
def test_a_subject_makes_a_prompt_a_question(prompt: str) -> None:
    assert not asks_overview(prompt)


def test_words_that_only_frame_a_question_weigh_little_and_are_no_aspect() -> None:
    found = plan_of("What are the key messages on soil carbon and message passing?")
    weight = {term.word: term.weight for term in found.terms}
    assert weight["key"] < weight["soil"] == weight["carbon"] == 1.0
    assert weight["messages"] == 2.0  # "message passing" is a subject
    assert [facet.label for facet in found.facets[1:]] == ["soil carbon", "message passing"]


async def test_every_document_has_a_voice_and_the_report_says_that_it_is_an_overview() -> None:
    sources = library()
    result = await result_for(sources=sources)
    assert result["answered"] is True
    assert {item["document_id"] for item in result["citations"]} == set(sources.texts)
    assert {finding["support"] for finding in result["key_findings"]} <= {"supported", "contradicted"}
    first_six = {finding["citations"][0] for finding in result["key_findings"]}
    assert len(result["key_findings"]) == len(first_six) == 6
    assert result["title"] == "Overview of six documents"
    assert "This is an overview: the prompt names no subject" in result["summary"]
    assert "of six documents in these sources six were read" in result["summary"]
    headings = [section["heading"] for section in result["sections"]]
    assert set(headings) >= {card.title for card in sources.records.values()}
    assert "Not found" not in json.dumps(result)
    ids = [claim["id"] for section in result["sections"] for claim in section["claims"]]
    assert len(set(ids)) == len(ids)


async def test_the_quotes_of_an_overview_stand_at_their_offsets() -> None:
    sources = library()
    result = await result_for("Summarise these papers.", sources)
    for citation in result["citations"]:
        text = sources.texts[citation["document_id"]]
        for passage in citation["passages"]:
            assert text[passage["start"] : passage["end"]] == passage["quote"]
            assert passage["sha256"] == text_sha256(text)
    told = json.dumps(result["sections"])
    for phrase in ("by mistake", "All rights reserved", "Figure 1", "How long should"):
        assert phrase not in told


async def test_nothing_is_searched_and_no_word_of_the_prompt_is_missed() -> None:
    sources = library()
    result = await result_for(sources=sources)
    assert sources.queries == []
    assert result["methods"]["terms"] == []
    assert result["methods"]["missing_terms"] == []
    assert result["methods"]["confidence"]["formula"] == confidence.OVERVIEW_FORMULA


async def test_an_overview_is_the_same_each_time_and_in_any_order_and_from_any_storage() -> None:
    turned = Library()
    made = library()
    for key in reversed(list(made.texts)):
        turned.texts[key], turned.records[key] = made.texts[key], made.records[key]
    first = json.dumps(await result_for(sources=made))
    assert json.dumps(await result_for(sources=turned)) == first
    stored = await run_engine(ResearchEngine(), context_for(), doubles=True, sort_keys=True)
    assert json.dumps(stored) == first


async def test_an_overview_of_one_document_names_it_and_gives_several_statements() -> None:
    result = await result_for("What is this paper about?", documents=("d-interleaving",))
    assert result["title"] == "Overview of “Interleaving”"
    assert len(result["key_findings"]) > 1
    assert result["screening"]["identified"] == 1


async def test_a_library_beyond_the_depth_is_said_to_be_read_in_part() -> None:
    whole = await result_for()
    result = await result_for(preferences={"max_documents": 2})
    assert len({item["document_id"] for item in result["citations"]}) == 2
    assert "of six documents in these sources two were read" in result["summary"]
    reasons = {item["reason"] for item in result["screening"]["excluded"]}
    assert reasons == {"beyond the 2 documents that are read"}
    assert result["confidence_score"] < whole["confidence_score"]


async def test_copies_of_a_document_are_left_out() -> None:
    sources = library()
    sources.add("d-copy", SPACING, "A Copy under Another Name")
    result = await result_for(sources=sources)
    assert result["screening"]["duplicates_removed"] == 1
    assert result["methods"]["confidence"]["parts"]["coverage"] == 1.0


async def test_pages_of_an_overview_come_from_the_passages() -> None:
    sources = Library()
    text = "Sleep after study stabilises new memories.\fSpaced practice improves the retention of words in schools."
    sources.add("d-paged", text, "A Report with Pages", pages=2)
    result = await result_for(sources=sources)
    assert [passage["page"] for passage in result["citations"][0]["passages"]] == [1, 2]


@pytest.mark.parametrize("prompt", [PROMPT, "Does sleep after study stabilise new memories?"])
async def test_a_document_with_one_page_has_it_everywhere(prompt: str) -> None:
    sources = Library()
    text = "Sleep after study stabilises new memories.\n\nSpaced practice improves the retention of words in schools."
    sources.add("d-page", text, "A Page", pages=1)
    sources.add("d-plain", text.replace("schools", "adults"), "No Pages", pages=0)
    result = await result_for(prompt, sources)
    pages = {item["document_id"]: [found["page"] for found in item["passages"]] for item in result["citations"]}
    assert set(pages) == {"d-page", "d-plain"}
    assert set(pages["d-page"]) == {1}
    assert set(pages["d-plain"]) == {None}
    gists = {item["document_id"]: item["gist"]["page"] for item in result["sources"]}
    assert gists == {"d-page": 1, "d-plain": None}


async def test_documents_without_a_statement_give_no_overview() -> None:
    sources = Library()
    sources.add("d-list", "apples\npears\nplums", "A List")
    result = await result_for(sources=sources)
    assert result["answered"] is False
    assert result["summary"].startswith("Not found in these sources")
    assert result["confidence_score"] == 0


async def test_an_overview_of_nothing_is_an_error() -> None:
    with pytest.raises(EngineError) as caught:
        await result_for(sources=Library())
    assert caught.value.code == "no_usable_source"


async def test_a_quote_that_is_gone_is_not_relied_on() -> None:
    sources = library()
    context = context_for(sources=sources)
    engine = ResearchEngine()
    for name in ("plan", "gather", "screen", "read", "synthesise"):
        context.outputs[name] = await engine.run_stage(name, context)
    sources.texts["d-bread"] = "Rewritten."
    for name in ("verify", "write"):
        context.outputs[name] = await engine.run_stage(name, context)
    result = context.outputs["write"]
    assert "d-bread" not in {item["document_id"] for item in result["citations"]}
    assert result["methods"]["confidence"]["parts"]["verification"] < 1


async def test_the_stages_of_an_overview_say_what_they_decided() -> None:
    context = context_for()
    await run_engine(ResearchEngine(), context)
    told = {entry["decision"]: entry["reason"] for entry in context.decisions}
    assert "names no subject" in told["plan"]
    assert "hold six documents" in told["documents listed"]
    assert context.used["document_read"] == 6


def test_abstract_and_conclusion_are_more_telling_than_methods() -> None:
    text = (
        "# Abstract\n\nTrees store carbon in their wood.\n\n# Methods\n\nTrees were measured with a tape each May.\n\n"
        "# Conclusions\n\nOld trees store most of the carbon.\n\n# References\n\nTrees were listed here by mistake."
    )
    found = survey("d", "Trees", text, "en")
    assert [(item.quote, item.position) for item in found.statements] == [
        ("Trees store carbon in their wood.", 1.0),
        ("Trees were measured with a tape each May.", 0.0),
        ("Old trees store most of the carbon.", 1.0),
    ]


def test_the_documents_chosen_speak_for_the_most_titles() -> None:
    sources = Library()
    for key, title in {"a": "Soil carbon", "b": "Soil carbon in farms", "c": "Whales", "d": "Soil fungi"}.items():
        sources.add(key, "Text.", title)
    chosen = representative(list(sources.records.values()), 2, "en")
    assert [record.document_id for record in chosen] == ["b", "d", "a", "c"]


async def test_every_document_given_is_accounted_for_however_many() -> None:
    sources = Library()
    for number in range(230):
        sources.add(f"d{number:03}", f"Record number {number} tells how the lake froze in winter.", f"Record {number}")
    named = tuple(sources.texts)
    result = await result_for(sources=sources, documents=(*named, "gone"))
    flow = result["screening"]
    assert flow_problems(flow) == []
    assert (flow["identified"], flow["not_retrieved"], flow["not_listed"]) == (231, 1, 0)
