from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.engines.fakes import Context, Library, run_engine
from tests.unit.engines.sample import BREAD, SPACING, library
from worker.engines.base import EngineError, Job
from worker.engines.registry import BUILT_IN
from worker.engines.research.engine import ResearchEngine
from worker.engines.text.identifiers import text_sha256

PROMPT = "How does spaced practice affect long-term retention?"


def context_for(prompt: str = PROMPT, sources: Library | None = None, **job: Any) -> Context:
    return Context(Job("session", "research", prompt, **job), sources or library())


async def result_for(prompt: str = PROMPT, **job: Any) -> dict[str, Any]:
    return await run_engine(ResearchEngine(), context_for(prompt, **job))


def claims_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [claim for section in result["sections"] for claim in section["claims"]]


def headings(result: dict[str, Any]) -> list[str]:
    return [section["heading"] for section in result["sections"]]


async def test_the_answer_comes_first_with_its_citation() -> None:
    result = await result_for()
    assert result["title"] == PROMPT
    assert not result["partial"]
    first = result["key_findings"][0]
    assert first["text"] == "Spaced practice improves the long-term retention in comparison to massed practice."
    assert result["summary"].startswith(first["text"] + " [1]")
    assert result["citations"][0]["id"] in first["citations"]
    assert result["confidence_score"] > 0.5


async def test_every_quote_stands_at_its_offsets() -> None:
    sources = library()
    result = await run_engine(ResearchEngine(), context_for(sources=sources))
    assert result["citations"]
    for citation in result["citations"]:
        text = sources.texts[citation["document_id"]]
        assert citation["passages"]
        for passage in citation["passages"]:
            assert text[passage["start"] : passage["end"]] == passage["quote"]
            assert passage["sha256"] == text_sha256(text)
    quotes = {passage["quote"] for citation in result["citations"] for passage in citation["passages"]}
    assert {finding["quote"] for finding in result["key_findings"]} <= quotes


async def test_citations_and_ids_hold_together() -> None:
    result = await result_for()
    known = [citation["id"] for citation in result["citations"]]
    assert len(set(known)) == len(known)
    ids = [claim["id"] for claim in claims_of(result)] + [section["id"] for section in result["sections"]]
    assert len(set(ids)) == len(ids)
    for claim in [*claims_of(result), *result["key_findings"]]:
        assert claim["citations"]
        assert set(claim["citations"]) <= set(known)
        assert claim["support"] in {"supported", "contradicted"}
    for section in result["sections"]:
        for claim in section["claims"]:
            assert claim["text"] in section["body"]


async def test_citations_carry_csl() -> None:
    result = await result_for()
    spacing = next(item for item in result["citations"] if item["document_id"] == "d-spacing")
    assert spacing["csl"] == {
        "id": spacing["id"],
        "type": "document",
        "title": "Spaced Practice",
        "author": [{"family": "van der Berg", "given": "Ludwig"}, {"family": "Chen", "given": "Mei"}],
        "issued": {"date-parts": [[2019]]},
    }


async def test_headings_lists_of_references_and_boilerplate_are_never_quoted() -> None:
    result = await result_for(preferences={"depth": "deep"})
    told = json.dumps(result["sections"]) + json.dumps(result["citations"])
    for phrase in (
        "## ",
        "| pause",
        "Figure 1",
        "by mistake",
        "All rights reserved",
        "How long should",
        "Short pauses",
    ):
        assert phrase not in told


async def test_the_same_statement_in_two_sources_is_one_claim_with_both_citations() -> None:
    result = await result_for()
    both = {item["id"] for item in result["citations"] if item["document_id"] in {"d-spacing", "d-interleaving"}}
    assert set(result["key_findings"][0]["citations"]) == both
    texts = [claim["text"] for claim in claims_of(result)]
    assert len([text for text in texts if text.startswith("Spaced practice improves")]) == 1


async def test_same_inputs_give_the_same_bytes() -> None:
    first = await result_for(preferences={"seed": 1})
    again = await result_for(preferences={"seed": 1})
    assert json.dumps(first, sort_keys=True) == json.dumps(again, sort_keys=True)
    assert list(first) == list(again)


async def test_the_order_in_which_documents_were_added_does_not_matter() -> None:
    turned = Library()
    made = library()
    for key in reversed(list(made.texts)):
        turned.texts[key], turned.records[key] = made.texts[key], made.records[key]
    first = await run_engine(ResearchEngine(), context_for(sources=made))
    second = await run_engine(ResearchEngine(), context_for(sources=turned))
    assert json.dumps(first) == json.dumps(second)


async def test_checkpoints_may_come_back_with_doubles_and_sorted_keys() -> None:
    plain = await run_engine(ResearchEngine(), context_for())
    stored = await run_engine(ResearchEngine(), context_for(), doubles=True, sort_keys=True)
    assert json.dumps(stored) == json.dumps(plain)


async def test_nothing_in_the_result_tells_the_session_or_the_time() -> None:
    one = await run_engine(ResearchEngine(), Context(Job("session-a", "research", PROMPT), library()))
    two = await run_engine(ResearchEngine(), Context(Job("session-b", "research", PROMPT), library()))
    assert json.dumps(one) == json.dumps(two)


async def test_contradicting_sources_are_shown_side_by_side() -> None:
    result = await result_for("Does interleaving increase the retention of mathematical procedures?")
    disputed = [claim for claim in claims_of(result) if claim["support"] == "contradicted"]
    assert {claim["text"] for claim in disputed} == {
        "Interleaving increases the retention of mathematical procedures in school classes.",
        "Interleaving does not increase the retention of mathematical procedures in school classes.",
    }
    assert {other for claim in disputed for other in claim["contradicted_by"]} == {claim["id"] for claim in disputed}
    assert "Where the sources disagree" in headings(result)
    assert "The sources disagree in places" in result["summary"]


@pytest.mark.parametrize("prompt", ["What is the boiling point of tungsten?", "qwertz", "Who won the chess match?"])
async def test_what_the_sources_do_not_answer_is_said_to_be_not_found(prompt: str) -> None:
    result = await result_for(prompt)
    assert result["summary"].startswith("Not found in these sources")
    assert result["key_findings"] == []
    assert result["confidence_score"] <= 0.1
    assert result["answered"] is False


async def test_a_near_miss_is_shown_as_near_and_not_as_an_answer() -> None:
    result = await result_for("Does retention of tungsten filaments in vacuum lamps depend on nitrogen pressure?")
    assert result["summary"].startswith("Not found in these sources")
    assert "“tungsten”" in result["summary"]
    assert result["key_findings"] == []


async def test_who_reads_the_summary_alone_sees_the_nearest_passages() -> None:
    result = await result_for("Does retention of tungsten filaments depend on sleep?")
    near = next(item for item in result["sections"] if item["heading"] == "Nearest passages")["claims"]
    told = result["summary"].split("not amount to an answer: ")[1]
    assert [quote.split("”")[0] for quote in told.split("“")[1:]] == [claim["text"] for claim in near[:2]]
    assert result["key_findings"] == []


async def test_the_document_carries_its_question() -> None:
    assert (await result_for("How does  sleep\nhelp? Why?"))["question"] == "How does sleep help? Why?"


async def test_sub_questions_have_sections_of_their_own() -> None:
    result = await result_for("What does spaced practice improve? What does slow-wave sleep do? What is a theremin?")
    assert headings(result)[:3] == [
        "What does spaced practice improve?",
        "What does slow-wave sleep do?",
        "What is a theremin?",
    ]
    replay = "During slow-wave sleep the hippocampus replays what was learnt during the day."
    assert replay in " ".join(result["sections"][1]["body"].split())
    assert result["sections"][2]["body"] == "No statement was found that speaks to this."
    assert (
        "“theremin”"
        in next(item for item in result["sections"] if item["heading"] == "What these sources do not say")["body"]
    )


async def test_the_screening_flow_adds_up_and_gives_reasons() -> None:
    sources = library()
    sources.add("d-copy", SPACING, "A Copy under Another Name")
    sources.add("d-twin", "Retrieval practice again.", "Another Title", doi="https://doi.org/10.1000/testing")
    named = tuple(sources.texts)
    result = await run_engine(
        ResearchEngine(),
        context_for("Do spaced practice and retrieval practice help retention?", sources, documents=named),
    )
    flow = result["screening"]
    reasons = {item["document_id"]: item["reason"] for item in flow["excluded"]}
    assert flow["identified"] == len(named)
    assert flow["duplicates_removed"] == 2
    assert flow["screened"] == flow["identified"] - flow["duplicates_removed"]
    assert flow["included"] == flow["identified"] - len(flow["excluded"])
    assert reasons["d-bread"] == "the searches found no passage of it"
    assert reasons["d-twin"] == "duplicate of “Retrieval Practice”"
    titles = {key: f"duplicate of “{sources.records[key].title}”: the same text" for key in ("d-copy", "d-spacing")}
    told = reasons.get("d-copy"), reasons.get("d-spacing")
    assert told in ((titles["d-spacing"], None), (None, titles["d-copy"]))
    assert {"stage": "identification", "reason": "duplicate", "documents": 2} in flow["reasons"]


async def test_a_copy_makes_a_finding_neither_surer_nor_less_sure() -> None:
    question = "Does regular coffee raise the blood pressure of pregnant nurses?"
    sources = Library()
    sources.add("d-tea", "Tea calms nurses.")
    sources.add("d-coffee", "Coffee raises blood pressure in adults who rarely drink it.")
    alone = await run_engine(ResearchEngine(), context_for(question, sources))
    sources.add("d-copy", sources.texts["d-coffee"])
    beside = await run_engine(ResearchEngine(), context_for(question, sources))
    assert beside["screening"]["duplicates_removed"] == 1
    parts, other = (result["methods"]["confidence"]["parts"] for result in (alone, beside))
    assert parts["lead"] > 0
    assert other["lead"] == pytest.approx(parts["lead"], abs=0.1)


async def test_a_document_that_denies_what_another_states_contradicts_it() -> None:
    sources = Library()
    rest = "The dose was 2 g a day. The trial lasted one year."
    sources.add("d-for", f"Metformin reduces weight in adults with obesity. {rest}")
    sources.add("d-against", f"Metformin does not reduce weight in adults with obesity. {rest}")
    result = await run_engine(ResearchEngine(), context_for("Does metformin reduce weight in adults?", sources))
    assert [item["support"] for item in result["key_findings"]] == ["contradicted", "contradicted"]
    assert len(result["contradictions"]) == 1
    assert (result["screening"]["included"], result["screening"]["excluded"]) == (2, [])


async def test_only_the_documents_named_are_used() -> None:
    result = await result_for("Long-term retention and sleep", documents=("d-sleep", "d-bread"))
    assert {item["document_id"] for item in result["citations"]} == {"d-sleep"}
    assert result["screening"]["identified"] == 2


async def test_max_documents_is_respected() -> None:
    context = context_for("practice and retention", preferences={"max_documents": 1})
    result = await run_engine(ResearchEngine(), context)
    assert context.used["document_read"] == 1
    assert len({item["document_id"] for item in result["citations"]}) == 1
    assert "ranked below the one document that is read" in json.dumps(result["screening"])


async def test_depth_changes_breadth() -> None:
    quick = await result_for("practice, retention, memory", preferences={"depth": "quick"})
    deep = await result_for("practice, retention, memory", preferences={"depth": "deep"})
    assert len(claims_of(quick)) < len(claims_of(deep))
    assert len(quick["methods"]["facets"]) < len(deep["methods"]["facets"])


async def test_usage_progress_and_decisions_are_reported() -> None:
    context = context_for()
    engine = ResearchEngine()
    for spec in engine.stages(context.job):
        context.steps.clear()
        context.outputs[spec.name] = await engine.run_stage(spec.name, context)
        shares = [done / total for done, total in context.steps]
        assert shares == sorted(shares)
        assert shares[-1] == 1
    assert context.used["document_read"] == context.outputs["read"]["read"] > 0
    assert context.used["passage_read"] >= context.used["document_read"]
    made = [entry["decision"] for entry in context.decisions]
    assert made[0] == "plan"
    for decision in (
        "searched",
        "documents screened",
        "evidence taken",
        "findings chosen",
        "quotes verified",
        "written",
    ):
        assert decision in made


async def test_a_stage_run_again_comes_to_the_same_output() -> None:
    context = context_for()
    engine = ResearchEngine()
    await run_engine(engine, context)
    for spec in engine.stages(context.job):
        again = await engine.run_stage(spec.name, context)
        assert json.dumps(again) == json.dumps(context.outputs[spec.name])


async def test_writing_up_early_gives_a_partial_result() -> None:
    sources = library()
    for number in range(40):
        sources.add(
            f"d-more-{number:02}", f"Spaced practice improves the retention of list number {number}.", f"List {number}"
        )
    context = context_for(sources=sources, preferences={"max_documents": 40})
    context.write_up_after = 1
    result = await run_engine(ResearchEngine(), context)
    assert result["partial"]
    assert "Partial:" in result["summary"]
    assert context.used["document_read"] < 40
    assert "written up early" in json.dumps(result["screening"]["excluded"])
    whole = await run_engine(ResearchEngine(), context_for(sources=sources, preferences={"max_documents": 40}))
    assert result["confidence_score"] < whole["confidence_score"]


async def test_a_quote_that_is_no_longer_there_is_unverified_and_not_relied_on() -> None:
    sources = library()
    context = context_for(sources=sources)
    engine = ResearchEngine()
    for name in ("plan", "gather", "screen", "read", "synthesise"):
        context.outputs[name] = await engine.run_stage(name, context)
    sources.texts["d-interleaving"] = "Rewritten. " + sources.texts["d-interleaving"]
    del sources.texts["d-testing"]
    for name in ("verify", "write"):
        context.outputs[name] = await engine.run_stage(name, context)
    result = context.outputs["write"]
    unverified = [claim for claim in claims_of(result) if claim["support"] == "unverified"]
    assert unverified
    assert all(claim["citations"] == [] for claim in unverified)
    texts = {claim["text"] for claim in unverified}
    assert texts.isdisjoint(finding["text"] for finding in result["key_findings"])
    assert not any(text in result["summary"] for text in texts)
    assert {item["document_id"] for item in result["citations"]}.isdisjoint({"d-interleaving", "d-testing"})
    # The other source of the first finding still holds it, so it stands.
    assert result["key_findings"][0]["text"].startswith("Spaced practice improves long-term retention")
    assert result["methods"]["confidence"]["parts"]["verification"] < 1


async def test_a_document_that_is_gone_is_left_out() -> None:
    sources = library()
    context = context_for(sources=sources)
    engine = ResearchEngine()
    for name in ("plan", "gather", "screen"):
        context.outputs[name] = await engine.run_stage(name, context)
    del sources.texts["d-interleaving"]
    context.outputs["read"] = await engine.run_stage("read", context)
    assert {"d-interleaving": "no longer in the library"}.items() <= {
        item["document_id"]: item["reason"] for item in context.outputs["read"]["excluded"]
    }.items()


async def test_pages_come_from_the_passages() -> None:
    sources = Library()
    filler = "Nothing of interest stands on this page of the report."
    text = f"{filler}\fSpaced practice improves retention in schools.\f{filler}"
    sources.add("d-paged", text, "A Report with Pages", pages=3)
    result = await run_engine(ResearchEngine(), context_for(sources=sources))
    assert [passage["page"] for passage in result["citations"][0]["passages"]] == [2]


@pytest.mark.parametrize("texts", [{}, {"d-empty": ""}])
async def test_without_any_text_there_is_nothing_to_do(texts: dict[str, str]) -> None:
    sources = Library()
    for key, text in texts.items():
        sources.add(key, text)
    with pytest.raises(EngineError) as caught:
        await run_engine(ResearchEngine(), context_for(sources=sources))
    assert caught.value.code == "no_usable_source"


async def test_evidence_is_quoted_sentence_by_sentence() -> None:
    result = await result_for("Who first measured spaced practice with lists of syllables?")
    head = result["key_findings"][0]["text"]
    assert "Ebbinghaus" in head
    assert "distribution of study" not in head


def test_the_engine_is_registered_and_pausable() -> None:
    engine = BUILT_IN["research"]()
    assert engine.name == "research"
    assert engine.session_types == frozenset({"research"})
    assert engine.pausable
    names = [spec.name for spec in engine.stages(Job("s", "research", "x"))]
    assert names == ["plan", "gather", "screen", "read", "synthesise", "verify", "write"]
    assert [spec.name for spec in engine.stages(Job("s", "research", "x", datasets=("t",)))][-2:] == [
        "analyse",
        "write",
    ]


async def test_a_library_off_the_subject_is_searched_and_left() -> None:
    sources = Library()
    sources.add("d-bread", BREAD, "Sourdough")
    result = await run_engine(ResearchEngine(), context_for(sources=sources))
    assert result["summary"].startswith("Not found in these sources")
    assert result["citations"] == []


async def test_findings_speak_to_a_question_that_is_answered() -> None:
    result = await run_engine(
        ResearchEngine(), context_for("What does spaced practice improve? What is a theremin made of?")
    )
    answered = {facet["id"] for facet in result["facets"] if facet["kind"] == "question" and facet["claims"]}
    told = {claim for facet in result["facets"] if facet["id"] in answered for claim in facet["claims"]}
    texts = {claim["text"] for claim in claims_of(result) if claim["id"] in told}
    assert {finding["text"] for finding in result["key_findings"]} <= texts


async def test_where_nothing_was_found_nothing_is_said_of_how_it_was_ranked() -> None:
    result = await run_engine(ResearchEngine(), context_for("What is the boiling point of tungsten?"))
    how = next(section["body"] for section in result["sections"] if section["heading"] == "How this was made")
    assert how.endswith("No documents were found or given.")
