from __future__ import annotations

import json
from typing import Any

import pytest

from eval.checks import flow_problems, problems_of
from tests.unit.engines.fakes import Context, Library, run_engine
from tests.unit.engines.sample import library
from worker.engines.base import Job, WorkSpan
from worker.engines.research.engine import ResearchEngine
from worker.engines.text.identifiers import text_sha256

PROMPT = "How does spaced practice affect long-term retention?"
BIBLIOGRAPHY = "Kelp forests lower wave height.\n\nReed beds slow the current near the bank.\n"


async def result_for(prompt: str = PROMPT, sources: Library | None = None, **job: Any) -> dict[str, Any]:
    made = sources or library()
    return await run_engine(ResearchEngine(), Context(Job("s", "research", prompt, **job), made))


def with_documents(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The key findings, each with the document that it cites first."""
    documents = {citation["id"]: citation["document_id"] for citation in result["citations"]}
    return [{**finding, "document_id": documents[finding["citations"][0]]} for finding in result["key_findings"]]


def stored(sources: Library) -> dict[str, tuple[str, str]]:
    return {key: (text, text_sha256(text)) for key, text in sources.texts.items()}


@pytest.mark.parametrize("depth", ["quick", "standard", "deep"])
@pytest.mark.parametrize(
    "prompt",
    [
        PROMPT,
        "Does interleaving increase the retention of mathematical procedures?",
        "What is the boiling point of tungsten?",
        "practice, retention, memory",
        "Summarise these documents",
        "Is spaced practice better than massed practice in language courses?",
    ],
)
async def test_every_result_passes_the_checks_of_the_evaluation(prompt: str, depth: str) -> None:
    result = await result_for(prompt, preferences={"depth": depth})
    answer = {**{name: result[name] for name in ("summary", "citations", "confidence_score")}, "results": result}
    problems, seen = problems_of(answer, stored(library()))
    assert problems == []
    assert seen["quotes"] == seen["quotes at their offsets"]


async def test_each_side_of_the_prompt_says_what_it_came_to() -> None:
    result = await result_for("What does spaced practice improve? What is a theremin?")
    status = {facet["label"]: facet["status"] for facet in result["facets"] if facet["kind"] == "question"}
    assert status == {"What does spaced practice improve?": "answered", "What is a theremin?": "open"}
    assert (result["gaps"][0]["kind"], result["gaps"][0]["terms"]) == ("missing_terms", ["theremin"])
    assert "open_facet" in [gap["kind"] for gap in result["gaps"]]
    claims = {claim["id"] for section in result["sections"] for claim in section["claims"]}
    assert claims.issuperset(claim for facet in result["facets"] for claim in facet["claims"])


async def test_agreement_and_contradiction_come_with_all_their_passages() -> None:
    agreed = (await result_for())["agreements"]
    assert {item["document_id"] for item in agreed[0]["passages"]} == {"d-spacing", "d-interleaving"}
    result = await result_for("Does interleaving increase the retention of mathematical procedures?")
    pair = next(item for item in result["contradictions"] if item["about"] == "each other")
    assert {item["document_id"] for item in pair["passages"]} == {"d-interleaving", "d-doubts"}
    texts = library().texts
    assert all(texts[item["document_id"]][item["start"] : item["end"]] == item["quote"] for item in pair["passages"])


async def test_sources_tell_their_role() -> None:
    roles = {item["document_id"]: item["role"] for item in (await result_for())["sources"]}
    assert roles["d-spacing"] == "key"
    near = await result_for("Does retention of tungsten filaments in vacuum lamps depend on nitrogen pressure?")
    assert {item["role"] for item in near["sources"]} <= {"nearest"}


async def test_an_answer_from_much_older_sources_says_so() -> None:
    sources = Library()
    sources.add("old", "Moss walls lower the indoor temperature of barns.", "Moss Walls", year=1950)
    sources.add("new", "Barns are built of wood today.", "Barns Now", year=2020)
    result = await result_for("Do moss walls lower the indoor temperature of barns?", sources)
    assert [gap["newest"] for gap in result["gaps"] if gap["kind"] == "old_sources"] == [1950]


async def test_a_finding_says_how_it_stands_to_the_prompt() -> None:
    result = await result_for("Interleaving increases the retention of mathematical procedures in school classes.")
    kinds = {finding["text"]: finding["relation"]["kind"] for finding in result["key_findings"]}
    assert kinds["Interleaving increases the retention of mathematical procedures in school classes."] == "supports"


async def test_a_passage_of_a_listed_work_is_cited_as_that_work() -> None:
    second = BIBLIOGRAPHY.index("Reed")
    works = (
        WorkSpan(0, second - 2, {"type": "book", "title": "Kelp", "author": [{"family": "Lind", "given": "A."}]}),
        WorkSpan(second, len(BIBLIOGRAPHY), {"title": "Reeds", "issued": {"date-parts": [[1999]]}, "DOI": "10.1/r"}),
    )
    sources = Library()
    sources.add("list", BIBLIOGRAPHY, "A bibliography", works=works)
    result = await result_for("Do reed beds slow the current near the bank?", sources)
    cited = next(item for item in result["citations"] if item["id"] in result["key_findings"][0]["citations"])
    assert (cited["title"], cited["year"], cited["doi"]) == ("Reeds", 1999, "10.1/r")
    assert cited["document_id"] == "list"
    assert cited["csl"] == {"id": cited["id"], "type": "document", **works[1].csl}


async def test_what_a_file_says_of_itself_is_its_citation() -> None:
    sources = library()
    csl = {"type": "article-journal", "title": "Spaced Practice", "volume": "7", "id": "own"}
    sources.add("d-spacing", sources.texts["d-spacing"], "Spaced Practice", csl=csl)
    cited = next(
        item for item in (await result_for(sources=sources))["citations"] if item["document_id"] == "d-spacing"
    )
    assert cited["csl"] == {**csl, "id": cited["id"]}


async def test_documents_named_that_hold_no_text_are_sought_and_not_retrieved() -> None:
    sources = library()
    sources.add("empty", "", "A scan")
    flow = (await result_for(sources=sources, documents=("d-spacing", "empty")))["screening"]
    assert (flow["identified"], flow["not_retrieved"], flow["identified_by"]) == (2, 1, {"given": 2})
    assert flow_problems(flow) == []


async def test_a_text_that_changed_is_noticed_and_a_gist_elsewhere_is_not_shown() -> None:
    sources = library()
    context = Context(Job("s", "research", PROMPT), sources)
    engine = ResearchEngine()
    for name in ("plan", "gather", "screen", "read", "synthesise"):
        context.outputs[name] = await engine.run_stage(name, context)
    text = sources.texts["d-spacing"]
    sentence = "It was first measured"
    place = text.index(sentence)
    context.outputs["read"]["gists"] = {
        "d-spacing": {"text": sentence, "start": float(place), "end": float(place + len(sentence)), "page": None},
        "d-interleaving": {"text": "Not what stands there", "start": 0, "end": 21, "page": None},
    }
    sources.texts["d-spacing"] = text + "\nOne more line."
    for name in ("verify", "write"):
        context.outputs[name] = await engine.run_stage(name, context)
    assert context.outputs["verify"]["changed"] == ["d-spacing"]
    gists = {item["document_id"]: item["gist"] for item in context.outputs["write"]["sources"]}
    assert gists["d-spacing"]["start"] == place
    assert gists["d-interleaving"] is None
    told = next(entry["reason"] for entry in context.decisions if entry["decision"] == "quotes verified")
    assert "One text changed since reading" in told
    json.dumps(context.outputs["write"])


async def test_the_checks_see_a_claim_that_cites_another_source() -> None:
    sources = library()
    result = await result_for("Summarise these documents", sources)
    answer = {**{name: result[name] for name in ("summary", "citations", "confidence_score")}, "results": result}
    assert problems_of(answer, stored(sources))[0] == []
    claim = next(section for section in result["sections"] if section["claims"])["claims"][0]
    claim["citations"] = [item["id"] for item in result["citations"] if item["id"] not in claim["citations"]][:1]
    assert problems_of(answer, stored(sources))[0] == ["a claim is no quote of what it cites"]


async def test_a_report_says_of_documents_given_that_none_was_read_and_not_that_they_matched() -> None:
    sources = Library()
    for name in ("moss", "kelp"):
        sources.add(name, f"The {name} grows slowly in the shade.", name.capitalize())
    result = await result_for("Does tungsten melt in nitrogen?", sources, documents=("moss", "kelp"))
    assert "Of two documents found or given, none was read" in result["summary"]
    assert "matched the search" not in json.dumps(result["sections"])


async def test_a_phrase_that_a_document_quoted_speaks_of_is_no_gap() -> None:
    sources = Library()
    title = "Radiation of Nasopharyngeal Carcinoma"
    sources.add("npc", "Induction chemotherapy lowered the rate of distant failure in NPC by half.", title)
    sources.add("moss", "Moss walls lower the indoor temperature of barns.", "Moss Walls")
    prompt = "Does induction chemotherapy lower distant failure in nasopharyngeal carcinoma?"
    result = await result_for(prompt, sources)
    assert result["answered"]
    assert result["facets"][0]["status"] == "single_source"
    assert "open_facet" not in [gap["kind"] for gap in result["gaps"]]


async def test_what_is_not_answered_is_a_gap_by_itself() -> None:
    result = await result_for("Does retention of tungsten filaments in vacuum lamps depend on nitrogen pressure?")
    assert not result["answered"]
    assert result["facets"][0]["id"] in [gap.get("facet") for gap in result["gaps"]]


async def test_what_alone_would_be_no_answer_is_not_in_the_summary() -> None:
    sources = library()
    sources.add(
        "far", "Spaced rows of practice lawns keep moisture for a long term in summer.", "Lawns and Practice Rows"
    )
    result = await result_for(sources=sources)
    told = {finding["document_id"]: finding["text"] in result["summary"] for finding in with_documents(result)}
    assert told.pop("far") is False
    assert list(told.values()) == [True]


def moss() -> Library:
    """Two documents that say shade reduces growth, and one that says it increases it."""
    sources = Library()
    sources.add(
        "q",
        "Sphagnum moss was grown under shade for two years in 40 plots. Shaded plots lost 12 % of their biomass. "
        "We conclude that shade reduces the growth of Sphagnum moss.",
        "Moss and shade",
    )
    sources.add(
        "r",
        "In 30 plots, shade increased the growth of Sphagnum moss by 8 % over one summer.",
        "Sphagnum and light: a second trial",
    )
    sources.add("s", "Across 50 trials, shade reduced Sphagnum growth by 10% on average.", "A review of trials")
    return sources


async def test_effects_in_opposite_directions_are_set_against_each_other() -> None:
    result = await result_for("Does shade reduce the growth of Sphagnum moss?", moss())
    told = {finding["text"]: finding for finding in result["key_findings"]}
    reduces = told["We conclude that shade reduces the growth of Sphagnum moss."]
    increases = told["In 30 plots, shade increased the growth of Sphagnum moss by 8 % over one summer."]
    assert (reduces["support"], increases["support"]) == ("contradicted", "contradicted")
    assert (reduces["relation"]["kind"], increases["relation"]["kind"]) == ("supports", "contradicts")
    assert told["Sphagnum moss was grown under shade for two years in 40 plots."]["relation"]["kind"] == "mentions"
    assert "The sources disagree" in result["summary"]
    assert "Where the sources disagree" in [section["heading"] for section in result["sections"]]
    assert result["methods"]["confidence"]["parts"]["conflict"] > 0


async def test_what_is_said_to_act_and_stands_in_a_title_alone_is_missing() -> None:
    result = await result_for("Does light increase growth of Sphagnum moss?", moss())
    assert "No statement speaks to “light”." in result["summary"]
    assert {finding["relation"]["kind"] for finding in result["key_findings"]} == {"mentions"}
    other = await result_for("Does shade increase growth of Sphagnum moss?", moss())
    assert "No statement speaks to" not in other["summary"]
