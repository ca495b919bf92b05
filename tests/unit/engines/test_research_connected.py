"""What connectors find is a source like any other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.engines.fakes import Context, Library, run_engine
from worker.engines.base import EngineError, Job
from worker.engines.research.connected import caveat, questions
from worker.engines.research.engine import ResearchEngine
from worker.engines.research.plan import plan_of
from worker.engines.research.settings import Settings

PROMPT = "How does rewetting change the emissions of drained peatlands?"
FOUND = "Rewetting lowered the carbon dioxide emissions of drained peatlands by 62 percent within three years."
DATA = ("year,emissions\n" + "".join(f"{2000 + n},{90 - 3 * n}\n" for n in range(20))).encode()
HELD = "In our valley, rewetting of drained peatlands halved their emissions after two winters."


def job(*connectors: str, documents: tuple[str, ...] = (), prompt: str = PROMPT, **preferences: Any) -> Job:
    return Job("s", "research", prompt, documents, preferences={"connectors": list(connectors), **preferences})


def library(**texts: str) -> Library:
    made = Library(works={"w1": ("Forty bogs over nine years", FOUND)})
    for name, text in texts.items():
        made.add(name, text, title=f"Notes on {name}")
    return made


async def result(context: Context) -> dict[str, Any]:
    return await run_engine(ResearchEngine(), context)


def told(context: Context, decision: str) -> list[str]:
    return [each["reason"] for each in context.decisions if each["decision"] == decision]


async def test_works_and_library_answer_together() -> None:
    context = Context(job("openalex", "arxiv"), library(valley=HELD))
    document = await result(context)
    assert {citation["document_id"] for citation in document["citations"]} == {"w1", "valley"}
    gathered = context.outputs["gather"]
    assert {c["record"]["document_id"]: c["source"] for c in gathered["candidates"]} == {
        "w1": "openalex",
        "valley": "library",
    }
    tally = {"questions": len(context.sources.asked), "found": 2, "held": 0, "problem": ""}  # type: ignore[attr-defined]
    assert gathered["connectors"] == {"openalex": tally, "arxiv": tally}
    assert all("OpenAlex: one work with an abstract" in reason for reason in told(context, "connectors asked"))


async def test_named_documents_are_searched_with_the_works() -> None:
    context = Context(job("arxiv", documents=("valley",)), library(valley=HELD, other=HELD))
    document = await result(context)
    assert {citation["document_id"] for citation in document["citations"]} == {"w1", "valley"}
    sources = {c["record"]["document_id"]: c["source"] for c in context.outputs["gather"]["candidates"]}
    assert sources == {"w1": "arxiv", "valley": "given"}


async def test_without_connectors_nobody_is_asked() -> None:
    for names in ((), ("none",)):
        sources = library(valley=HELD)
        document = await result(Context(job(*names), sources))
        assert sources.asked == []
        assert [citation["document_id"] for citation in document["citations"]] == ["valley"]


async def test_one_that_fails_is_left_out() -> None:
    sources = library(valley=HELD)
    sources.problems = {"arxiv": "did not answer in time"}
    context = Context(job("arxiv", "crossref"), sources)
    document = await result(context)
    (reason, *_) = told(context, "connectors asked")
    assert reason.endswith(
        "arXiv did not answer in time and is left out; Crossref: one work with an abstract. "
        "One work to look at, none of them in full."
    )
    assert " arXiv could not be asked." in document["summary"]
    assert context.outputs["gather"]["connectors"]["arxiv"]["problem"] == "did not answer in time"


async def test_all_of_them_failing_matters_only_without_another_source() -> None:
    sources = library(valley=HELD)
    sources.problems = {"arxiv": "fails (HTTP 500)"}
    context = Context(job("arxiv"), sources)
    document = await result(context)
    assert [citation["document_id"] for citation in document["citations"]] == ["valley"]
    (reason, *_) = told(context, "connectors asked")
    assert reason.endswith("arXiv fails (HTTP 500) and is left out. There is no work to look at.")
    alone = library()
    alone.problems = sources.problems
    with pytest.raises(EngineError, match=r"No connector could be asked: arxiv fails \(HTTP 500\)") as failed:
        await result(Context(job("arxiv"), alone))
    assert failed.value.code == "no_usable_source"


async def test_nothing_found_is_an_answer() -> None:
    document = await result(Context(job("arxiv"), Library()))
    assert document["citations"] == []
    assert document["confidence_score"] < 0.3


def test_what_a_summary_owns_up_to() -> None:
    fine = {"questions": 1, "found": 2, "held": 0, "problem": ""}
    silent = {**fine, "found": 0, "problem": "cannot be reached"}
    assert caveat({"arxiv": fine}) == ""
    assert caveat({"openalex": silent, "arxiv": fine}) == "OpenAlex could not be asked."
    assert caveat({"openalex": silent, "europepmc": silent, "arxiv": {**silent, "found": 3}}) == (
        "OpenAlex and Europe PMC could not be asked. arXiv did not answer all that was asked."
    )


async def test_a_connector_that_is_away_is_owned_up_to_beside_data_alone() -> None:
    sources = Library(datasets={"d": ("d.csv", DATA)}, problems={"openalex": "cannot be reached"})
    document = await result(
        Context(Job("s", "research", PROMPT, (), ("d",), preferences={"connectors": ["openalex"]}), sources)
    )
    assert document["summary"].endswith(" OpenAlex could not be asked.")


async def test_no_time_left_for_connectors() -> None:
    context = Context(job("arxiv"), library(valley=HELD), write_up=True)
    await result(context)
    assert context.outputs["gather"]["cut_short"]
    assert told(context, "connectors left out") == ["There is no time or money left to ask them more."]


async def test_a_prompt_without_a_subject_asks_nobody() -> None:
    sources = library(valley=HELD)
    context = Context(job("arxiv", prompt="Summarise my documents."), sources)
    await result(context)
    assert sources.asked == []
    assert told(context, "connectors left out")


@pytest.mark.parametrize(("depth", "most"), [("quick", 1), ("standard", 2), ("deep", 4)])
async def test_questions_by_depth(depth: str, most: int) -> None:
    prompt = "What lowers methane emissions? How fast does moss return? Why do fens differ? Who pays for rewetting?"
    sources = library(valley=HELD)
    await result(Context(job("arxiv", prompt=prompt, depth=depth), sources))
    assert len(sources.asked) == most
    plan = plan_of(prompt, Settings.of(job(depth=depth)))
    asked = [query for _, query in questions(plan, most)]
    assert asked == sources.asked
    assert all(len(query.split()) <= 10 for query in asked)
    assert "methane" in asked[0].split()
    assert asked[1:] == ["lowers methane emissions", "moss return", "fens differ"][: most - 1]
