from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.engines.fakes import Context, Library, run_engine
from tests.unit.engines.sample import library
from worker.engines.base import EngineError, Job
from worker.engines.registry import BUILT_IN
from worker.engines.research.engine import ResearchEngine
from worker.engines.synthesis.engine import SynthesisEngine

PROMPT = "What do these sessions say about retention?"
RETENTION = "How does spaced practice affect long-term retention?"
SLEEP = "What does sleep do to memories and to long-term retention?"
NOWHERE = "What is the boiling point of tungsten?"


def citation(name: str, **fields: Any) -> dict[str, Any]:
    quote = f"Quote of {name}."
    passage = {"quote": quote, "page": None, "start": 0, "end": len(quote), "sha256": f"sha-{name}"}
    blank: dict[str, Any] = {"title": f"Title {name}", "authors": [], "year": None, "doi": None, "url": None}
    return {
        "id": f"citation-{name}",
        "document_id": name,
        **blank,
        "passages": [passage],
        "csl": {"id": name},
        **fields,
    }


def finding(text: str, *citations: str, confidence: float = 0.6, **fields: Any) -> dict[str, Any]:
    ids = [f"citation-{name}" for name in citations]
    return {"id": f"finding-{text[:12]}", "text": text, "citations": ids, "confidence": confidence, **fields}


def results(prompt: str, *findings: dict[str, Any], **fields: Any) -> dict[str, Any]:
    cited = dict.fromkeys(name for item in findings for name in item["citations"])
    citations = [citation(name.removeprefix("citation-")) for name in cited]
    base = {"title": prompt, "prompt": prompt, "confidence_score": 0.6, "sections": [], "tables": [], "figures": []}
    return {**base, "key_findings": list(findings), "citations": citations, **fields}


DATA = results(
    "How does recall change?",
    finding("Recall and pauses rise together (r = 0.9, n = 20).", dataset="recall.csv", confidence=0.8),
    sections=[
        {"claims": [{"id": "c", "text": "The data do not show causes.", "citations": [], "support": "computed"}]}
    ],
    tables=[{"id": "table-1", "title": "Correlations"}],
    figures=[{"id": "figure-1"}],
    analysis=[{"kind": "correlation"}],
)


async def synthesised(*documents: dict[str, Any], prompt: str = PROMPT, **preferences: Any) -> dict[str, Any]:
    sources = Library(results={f"s{number}": document for number, document in enumerate(documents, start=1)})
    job = Job("synthesis", "synthesis", prompt, sessions=tuple(sources.results), preferences=preferences)
    return await run_engine(SynthesisEngine(), Context(job, sources))


async def researched(prompt: str) -> dict[str, Any]:
    return {**await run_engine(ResearchEngine(), Context(Job("s", "research", prompt), library())), "prompt": prompt}


async def test_what_one_session_computes_is_neither_one_statement_nor_a_contradiction() -> None:
    computed = [
        f"yield is {amount} higher for soil {soil} than for clay with the other terms held fixed."
        for soil, amount in (("loam", "1.7"), ("sand", "2.28"), ("silt", "3.2"))
    ]
    data = results("Which soil?", *(finding(text, dataset="field.csv") for text in computed))
    result = await synthesised(data, results("Two", finding("Sleep helps.", "b")))
    assert {item["text"] for item in result["key_findings"]} == {*computed, "Sleep helps."}
    assert "Where they contradict each other" not in [section["heading"] for section in result["sections"]]


async def test_what_two_sessions_compute_is_one_statement_only_of_the_same_columns() -> None:
    form = "{} and {} rise together (Pearson r = 0.9, n = 20). This is an association and does not show a cause."
    one = results("One", finding(form.format("leaf_width", "yield"), dataset="a.csv", id="f1"))
    pairs = (("yield", "leaf_width"), ("leaf_length", "yield"))
    two = results("Two", *(finding(form.format(*pair), dataset="b.csv", id=f"g-{pair[0]}") for pair in pairs))
    sessions = {tuple(item["sessions"]) for item in (await synthesised(one, two))["key_findings"]}
    assert sessions == {("s1", "s2"), ("s2",)}


async def test_the_same_statement_of_two_sessions_is_merged() -> None:
    text = "Spaced practice improves the retention of words."
    result = await synthesised(
        results("One", finding(text, "a"), finding("Sleep helps.", "b")),
        results("Two", finding("Spaced practice improves retention of the words.", "c", confidence=0.5)),
    )
    first = result["key_findings"][0]
    assert first["text"] == text
    assert first["sessions"] == ["s1", "s2"]
    assert [(item["session_id"], item["text"]) for item in first["provenance"]] == [
        ("s1", text),
        ("s2", "Spaced practice improves retention of the words."),
    ]
    assert len(first["citations"]) == 2
    assert first["confidence"] == pytest.approx(0.6 + 0.5 * 0.35 * 0.5, abs=1e-4)
    assert result["summary"].startswith(f"{text} [1][2]")
    assert result["sections"][0]["heading"] == "What several sessions state"


async def test_the_same_source_twice_makes_a_finding_no_surer() -> None:
    text = "Spaced practice improves the retention of words."
    result = await synthesised(results("One", finding(text, "a")), results("Two", finding(text, "a")))
    assert result["key_findings"][0]["confidence"] == 0.6
    assert len(result["citations"]) == 1


async def test_opposite_findings_are_shown_and_not_merged() -> None:
    result = await synthesised(
        results("One", finding("Interleaving increases the retention of procedures.", "a")),
        results("Two", finding("Interleaving does not increase the retention of procedures.", "b")),
    )
    left, right = result["key_findings"]
    assert (left["support"], right["support"]) == ("contradicted", "contradicted")
    assert left["confidence"] == 0.3
    body = next(item for item in result["sections"] if item["heading"] == "Where they contradict each other")["body"]
    assert left["text"] in body
    assert right["text"] in body
    assert "contradict" in result["summary"]
    calm = await synthesised(results("One", finding("Sleep helps.", "a")), results("Two", finding("Tea wakes.", "b")))
    assert result["confidence_score"] < calm["confidence_score"]


@pytest.mark.parametrize(("source", "contradictions"), [("a", 0), ("b", 1)])
async def test_two_amounts_of_one_source_are_no_contradiction(source: str, contradictions: int) -> None:
    first = results("How much?", finding("The yield of maize rose by 12 %.", "a"))
    second = results("How much more?", finding("The yield of maize rose by 31 %.", source))
    told = [item["support"] for item in (await synthesised(first, second))["key_findings"]]
    assert told.count("contradicted") == 2 * contradictions


async def test_what_acts_on_the_same_the_other_way_is_the_pair_that_contradicts() -> None:
    increases = "In 30 plots, shade increased the growth of Sphagnum moss by 8 % over one summer."
    reduces, lost = (
        "We conclude that shade reduces the growth of Sphagnum moss.",
        "Shaded plots lost 12 % of their biomass.",
    )
    result = await synthesised(
        results("One", finding(increases, "a")), results("Two", finding(reduces, "b"), finding(lost, "c"))
    )
    told = {item["text"]: item["support"] for item in result["key_findings"]}
    assert told == {increases: "contradicted", reduces: "contradicted", lost: "supported"}


@pytest.mark.parametrize(
    ("left", "right", "joined"),
    [
        ({"doi": "10.1/A"}, {"doi": "https://doi.org/10.1/a"}, True),
        (
            {"title": "The Spacing of Study Sessions", "year": 2001},
            {"title": "The spacing of study sessions", "year": 2001.0},
            True,
        ),
        (
            {"title": "The Spacing of Study Sessions", "year": 2001},
            {"title": "The spacing of study sessions", "year": 2002},
            False,
        ),
        ({"title": "Notes", "year": 2001}, {"title": "Notes", "year": 2001}, False),
    ],
)
async def test_citations_of_one_work_are_joined(left: dict[str, Any], right: dict[str, Any], joined: bool) -> None:
    result = await synthesised(
        results("One", finding("Sleep helps memory.", "a"), citations=[citation("a", **left)]),
        results("Two", finding("Tea wakes people.", "b"), citations=[citation("b", **right)]),
    )
    assert len(result["citations"]) == (1 if joined else 2)
    if joined:
        (one,) = result["citations"]
        assert one["csl"]["id"] == one["id"]
        assert [passage.get("document_id") for passage in one["passages"]] == [None, "b"]
        assert {item["citations"][0] for item in result["key_findings"]} == {one["id"]}


async def test_findings_of_data_name_their_dataset_and_bring_their_blocks() -> None:
    result = await synthesised(results("One", finding("Sleep helps memory.", "a")), DATA)
    told = next(item for item in result["key_findings"] if item["sessions"] == ["s2"])
    assert (told["support"], told["citations"]) == ("computed", [])
    assert told["provenance"][0]["dataset"] == "recall.csv"
    assert "(data: recall.csv)" in result["summary"]
    assert (result["tables"], result["figures"]) == (DATA["tables"], DATA["figures"])
    assert result["analysis"] == DATA["analysis"]
    assert "do not show causes" not in json.dumps(result)


async def test_that_data_cannot_answer_is_no_finding() -> None:
    cannot = finding("The data cannot answer this: no column is about “rain”.", kind="answer", confidence=0.7)
    other = results("Rain", cannot, finding("Sleep and recall rise together (r = 0.8, n = 30).", dataset="sleep.csv"))
    document = await synthesised(DATA, other)
    texts = [item["text"] for item in document["key_findings"]]
    assert not any("cannot answer" in text for text in texts)
    assert len(texts) == 2


async def test_a_term_bridges_two_sessions() -> None:
    result = await synthesised(
        results("One", finding("Iron dust feeds plankton in the Southern Ocean.", "a")),
        results("Two", finding("Old water rises in the Southern Ocean and cools.", "b")),
    )
    (bridge,) = result["bridges"]
    assert bridge["term"] == "Southern Ocean"
    assert (bridge["kind"], bridge["a"], bridge["c"]) == ("implicit", "iron dust", "water")
    assert bridge["id"].startswith("bridge-")
    assert bridge["title"] == "“Southern Ocean” links “One” and “Two”"
    assert [step["title"] for step in bridge["path"]] == ["“One”", "“Two”"]
    assert result["question"] == PROMPT
    assert bridge["sessions"] == ["s1", "s2"]
    assert [step["session_id"] for step in bridge["path"]] == ["s1", "s2"]
    assert all(step["citations"] for step in bridge["path"])
    assert "What connects them" in [section["heading"] for section in result["sections"]]


async def test_the_numbers_of_the_summary_add_up() -> None:
    first = "Spaced practice improves the retention of words."
    twice = "Feedback makes retrieval practice more effective in schools."
    result = await synthesised(
        results("One", finding(first, "a"), finding("Sleep helps.", "b")),
        results("Two", finding(f"{first[:-1]}!", "c"), finding(twice, "d"), finding(f"{twice[:-1]}!", "d")),
    )
    assert (
        "Their five findings come down to three statements: one repeats a finding of another session and one repeats "
        "one of the same session. One statement is made by more than one session. They cite four sources."
    ) in result["summary"]
    apart = await synthesised(results("One", finding("Sleep helps.", "a")), results("Two", finding("Tea wakes.", "b")))
    assert (
        "Their two findings all say something different. No statement is made by more than one session."
        in (apart["summary"])
    )


async def test_sessions_of_one_title_go_by_their_prompts() -> None:
    result = await synthesised(
        results("What does tea do?", finding("Tea wakes people.", "a"), title="Analysis of x.csv"),
        results("What does sleep do?", finding("Sleep helps memory.", "b"), title="Analysis of x.csv"),
    )
    assert "two sessions: “What does tea do?” and “What does sleep do?”." in result["summary"]


async def test_unverified_claims_and_near_misses_are_left_out() -> None:
    claims = [
        {"id": "x", "text": "Nobody could find this again.", "citations": [], "support": "unverified"},
        {"id": "y", "text": "Naps restore attention in pilots.", "citations": ["citation-a"], "support": "supported"},
    ]
    near = results("Two", finding("Merely near the question.", "b"), answered=False)
    result = await synthesised(results("One", finding("Sleep helps memory.", "a"), sections=[{"claims": claims}]), near)
    told = json.dumps(result)
    assert "find this again" not in told
    assert "Merely near" not in told
    assert "Naps restore attention" in told
    assert "“Two” found no answer." in result["summary"]


async def test_no_session_has_an_answer() -> None:
    result = await synthesised(results("One", answered=False), results("Two", answered=False))
    assert result["summary"].startswith("Not found in these sources: none of the two sessions")
    assert (result["key_findings"], result["citations"], result["confidence_score"]) == ([], [], 0.0)
    assert result["answered"] is False


@pytest.mark.parametrize("sessions", [(), ("s1",), ("s1", "s1")])
async def test_fewer_than_two_sessions_are_no_usable_source(sessions: tuple[str, ...]) -> None:
    sources = Library(results={"s1": results("One", finding("Sleep helps.", "a"))})
    with pytest.raises(EngineError) as caught:
        await run_engine(SynthesisEngine(), Context(Job("s", "synthesis", PROMPT, sessions=sessions), sources))
    assert caught.value.code == "no_usable_source"


async def test_real_research_sessions_are_merged_with_their_quotes() -> None:
    documents = [await researched(prompt) for prompt in (RETENTION, SLEEP, NOWHERE)]
    result = await synthesised(*documents, DATA)
    texts = library().texts
    assert result["citations"]
    for item in result["citations"]:
        for passage in item["passages"]:
            assert texts[item["document_id"]][passage["start"] : passage["end"]] == passage["quote"]
    known = {item["id"] for item in result["citations"]}
    assert len({item["document_id"] for item in result["citations"]}) == len(known)
    claims = [claim for section in result["sections"] for claim in section["claims"]]
    for claim in [*claims, *result["key_findings"]]:
        assert set(claim["citations"]) <= known
        assert claim["provenance"]
    ids = [claim["id"] for claim in claims] + [section["id"] for section in result["sections"]]
    assert len(set(ids)) == len(ids)
    assert any(len(item["sessions"]) > 1 for item in result["key_findings"])
    assert f"“{NOWHERE}” found no answer." in result["summary"]


async def test_same_sessions_give_the_same_bytes_and_doubles_from_storage_change_nothing() -> None:
    documents = [await researched(prompt) for prompt in (RETENTION, SLEEP)]
    stored = [json.loads(json.dumps(document, sort_keys=True), parse_int=float) for document in documents]
    first = await synthesised(*documents, DATA)
    again = await synthesised(*documents, DATA)
    assert json.dumps(first) == json.dumps(again)
    assert await synthesised(*stored, DATA) == first


async def test_usage_progress_and_decisions() -> None:
    sources = Library(results={"s1": results("One", finding("Sleep helps memory.", "a")), "s2": DATA})
    context = Context(Job("s", "synthesis", PROMPT, sessions=("s1", "s2")), sources)
    engine = BUILT_IN["synthesis"]()
    for spec in engine.stages(context.job):
        context.steps.clear()
        context.outputs[spec.name] = await engine.run_stage(spec.name, context)
        assert context.steps[-1][0] == context.steps[-1][1]
    assert context.used == {"finding_merged": 2}
    assert [entry["decision"] for entry in context.decisions] == [
        "findings collected",
        "findings merged",
        "bridges",
        "written",
    ]
    assert engine.session_types == frozenset({"synthesis"})
    assert engine.pausable


async def test_depth_bounds_the_key_findings() -> None:
    many = [finding(f"Substance{number} melts at temperature{number} exactly.", f"a{number}") for number in range(30)]
    other = results("Two", finding("Tea wakes people.", "b"))
    for depth, limit in (("quick", 5), ("standard", 8), ("deep", 10)):
        result = await synthesised(results("One", *many), other, depth=depth)
        assert len(result["key_findings"]) == limit
        assert {session for item in result["key_findings"] for session in item["sessions"]} == {"s1", "s2"}


async def test_a_synthesis_can_be_synthesised_again() -> None:
    one = await synthesised(results("One", finding("Sleep helps memory.", "a")), DATA)
    again = await synthesised({**one, "prompt": PROMPT}, results("Three", finding("Tea wakes people.", "c")))
    assert {item["text"] for item in again["key_findings"]} == {
        "Sleep helps memory.",
        "Recall and pauses rise together (r = 0.9, n = 20).",
        "Tea wakes people.",
    }


async def test_themes_are_named_after_things_and_not_after_the_wording_of_computed_findings() -> None:
    told = [
        ("mist height has a mean of 3, standard deviation 2, n = 20.", "a"),
        ("pale lichen and mist height move in opposite directions (r = -0.5, n = 20).", "a"),
        ("peat depth has a mean of 9, standard deviation 1, n = 20.", "b"),
        ("peat depth and bog age move in opposite directions (r = -0.7, n = 20).", "b"),
        ("fern girth accounts for 3 % of the variance, residual standard deviation 2, n = 20.", "c"),
    ]
    documents = [
        results(
            f"What is {name}?",
            *(finding(text, dataset=f"{name}.csv", kind="describe") for text, of in told if of == name),
        )
        for name in "abc"
    ]
    labels = {theme["label"] for theme in (await synthesised(*documents))["themes"]}
    assert labels == {"Mist height", "Peat depth"}
