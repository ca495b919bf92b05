"""What holds of every synthesis: order does not count, everything is accounted for, and nothing is counted twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.engines.fakes import Context, Library, run_engine
from tests.unit.engines.test_synthesis import DATA, citation, finding, results
from worker.engines.base import Job
from worker.engines.synthesis.citations import WorkIndex
from worker.engines.synthesis.collect import session_of
from worker.engines.synthesis.engine import SynthesisEngine

SPACED = "Spaced practice improves the retention of words."
PROMPT = "What do these sessions say about retention and sleep?"
Document = dict[str, Any]


async def synthesis(documents: dict[str, Document], order: tuple[str, ...] = (), **preferences: Any) -> Document:
    job = Job("s", "synthesis", PROMPT, sessions=order or tuple(documents), preferences=preferences)
    return await run_engine(SynthesisEngine(), Context(job, Library(results=documents)))


_SUBJECTS = ("Spaced practice", "Daily exercise", "Short sleep", "Loud noise", "Strong tea")
_VERBS = ("improves", "does not improve", "impairs", "changes", "raises")
_OBJECTS = ("the retention of words", "attention at school", "the growth of seedlings", "blood pressure by 12 %")

_finding = st.builds(
    lambda subject, verb, thing, source, confidence, support: {
        **finding(f"{subject} {verb} {thing}.", source, confidence=confidence),
        "id": f"f-{subject}-{verb}-{thing}-{support}",
        "support": support,
    },
    st.sampled_from(_SUBJECTS),
    st.sampled_from(_VERBS),
    st.sampled_from(_OBJECTS),
    st.sampled_from("abcd"),
    st.sampled_from((0.2, 0.5, 0.9)),
    st.sampled_from(("supported", "supported", "contradicted", "unverified")),
)
_documents = st.lists(st.lists(_finding, max_size=5), min_size=2, max_size=4).map(
    lambda sessions: {f"s{n}": results(f"Question {n}", *found) for n, found in enumerate(sessions)}
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(documents=_documents, data=st.data())
async def test_every_synthesis(documents: dict[str, Document], data: st.DataObject) -> None:
    result = await synthesis(documents)
    shuffled = tuple(data.draw(st.permutations(list(documents))))
    assert json.dumps(await synthesis(documents, shuffled)) == json.dumps(result), "the order does not count"
    cited = {item["id"]: item for item in result["citations"]}
    own = {name: {item["id"]: item for item in document["key_findings"]} for name, document in documents.items()}
    claims = [claim for section in result["sections"] for claim in section["claims"]]
    for claim in [*claims, *result["key_findings"]]:
        assert set(claim["citations"]) <= cited.keys()
        assert {entry["session_id"] for entry in claim["provenance"]} == set(claim["sessions"])
        for entry in claim["provenance"]:
            source = own[entry["session_id"]][entry["finding_id"]]
            assert source["text"] == entry["text"]
            assert source["support"] != "unverified"
            assert entry["passage"]["quote"] in [passage["quote"] for passage in cited[entry["citation"]]["passages"]]
            # What a session's sources contradict is supported nowhere.
            assert source["support"] == "supported" or claim["support"] == "contradicted"
        assert claim["agreement"]["sources"] == len(claim["citations"])
        assert 0 <= claim["confidence"] <= 0.95
    stated = {entry["text"] for claim in claims for entry in claim["provenance"]}
    sound = {
        item["text"]
        for document in documents.values()
        for item in document["key_findings"]
        if not any(o["text"] == item["text"] and o["support"] == "unverified" for o in document["key_findings"])
    }
    assert stated == sound, "nothing is lost, and nothing comes in that was not verified"
    ids = [item["id"] for name in ("sections", "bridges", "conflicts", "themes") for item in result[name]]
    ids += [claim["id"] for claim in claims]
    assert len(set(ids)) == len(ids)
    for bridge in result["bridges"]:
        assert len({step["session_id"] for step in bridge["path"]}) == len(bridge["path"]) >= 2
        for step in bridge["path"]:
            assert own[step["session_id"]][step["finding_id"]]["text"] == step["text"]
            assert step["passage"]["quote"]


async def test_a_synthesis_of_a_session_is_no_second_voice() -> None:
    first, second = results("One", finding(SPACED, "a")), results("Two", finding("Sleep helps memory.", "b"))
    once = await synthesis({"s1": first, "s2": second})
    again = await synthesis({"s1": first, "s3": {**once, "prompt": PROMPT}})
    (spaced,) = [item for item in again["key_findings"] if item["text"] == SPACED]
    assert spaced["agreement"] == {"sessions": 1, "sources": 1, "independent": False}
    assert spaced["confidence"] == once["key_findings"][0]["confidence"] == 0.6
    assert "No statement is made by more than one session" in again["summary"]
    (through,) = [entry for entry in spaced["provenance"] if entry["session_id"] == "s3"]
    assert through["origins"] == [{"session_id": "s1", "finding_id": first["key_findings"][0]["id"]}]
    assert through["passage"]["quote"] == "Quote of a."
    # A third session that has it from another source is one.
    third = await synthesis({"s3": {**once, "prompt": PROMPT}, "s4": results("Four", finding(SPACED, "c"))})
    (spaced,) = [item for item in third["key_findings"] if item["text"] == SPACED]
    assert spaced["agreement"] == {"sessions": 2, "sources": 2, "independent": True}


async def test_the_same_data_through_a_synthesis_are_one_source() -> None:
    once = await synthesis({"s1": DATA, "s2": results("Two", finding("Sleep helps memory.", "b"))})
    again = await synthesis({"s1": DATA, "s3": {**once, "prompt": PROMPT}})
    told = next(item for item in again["key_findings"] if "r = 0.9" in item["text"])
    assert (told["support"], told["confidence"]) == ("computed", 0.8)
    assert told["agreement"] == {"sessions": 1, "sources": 1, "independent": False}


async def test_two_analyses_of_the_same_file_are_one_source() -> None:
    same = {**DATA, "datasets": [{"name": "recall.csv", "sha256": "5a"}]}
    renamed = {
        **results("Again", finding(DATA["key_findings"][0]["text"], dataset="copy.csv", confidence=0.8)),
        "datasets": [{"name": "copy.csv", "sha256": "5a"}],
    }
    result = await synthesis({"s1": same, "s2": renamed})
    (told,) = result["key_findings"]
    assert told["agreement"] == {"sessions": 2, "sources": 1, "independent": False}
    assert "These sessions have it from the same source." in result["sections"][0]["body"]


async def test_computed_findings_keep_numbers_table_and_figure() -> None:
    text = "Recall and pauses rise together (r = 0.9, n = 20)."
    exhibits: Document = {"numbers": {"r": 0.9}, "kind": "correlation", "table": "table-1", "figure": "figure-1"}
    document = {**DATA, "key_findings": [finding(text, dataset="recall.csv", **exhibits)]}
    result = await synthesis({"s1": document, "s2": results("Two", finding("Sleep helps memory.", "a"))})
    told = next(item for item in result["key_findings"] if item["text"] == text)
    assert {name: told[name] for name in exhibits} == exhibits
    (entry,) = told["provenance"]
    assert (entry["citation"], entry["passage"], entry["dataset"]) == (None, None, "recall.csv")
    assert entry["numbers"] == {"r": 0.9}


async def test_both_sides_of_a_conflict_with_their_passages() -> None:
    documents = {
        "s1": results("One", finding("The glacier lost 12 metres of thickness in the decade.", "a")),
        "s2": results("Two", finding("The glacier lost 31 metres of thickness in the decade.", "b")),
    }
    result = await synthesis(documents)
    (conflict,) = result["conflicts"]
    assert conflict["kind"] == "quantity"
    assert [side["provenance"][0]["passage"]["quote"] for side in conflict["sides"]] == ["Quote of a.", "Quote of b."]
    body = next(item["body"] for item in result["sections"] if item["heading"] == "Where they contradict each other")
    assert "They give different amounts." in body
    assert not result["bridges"], "what is contradicted connects nothing"


async def test_a_text_that_is_contradicted_somewhere_in_its_session_is_so_everywhere() -> None:
    claim = {"id": "c1", "text": SPACED, "citations": ["citation-a"], "support": "contradicted"}
    document = results("One", finding(SPACED, "a"), sections=[{"claims": [claim]}])
    result = await synthesis({"s1": document, "s2": results("Two", finding(SPACED, "b"))})
    (told,) = result["key_findings"]
    assert told["support"] == "contradicted"


async def test_partial_sessions_and_what_was_left_out_are_said() -> None:
    unsure = {**finding("Nobody found this again.", "a"), "support": "unverified"}
    documents = {
        "s1": results("One", finding(SPACED, "a"), unsure, partial=True),
        "s2": results("Two", *(finding(f"Substance{n} melts at temperature{n}.", "b") for n in range(125))),
    }
    result = await synthesis(documents)
    assert "“One” is partial." in result["summary"]
    assert result["partial"] is False
    limits = result["sections"][-1]
    assert limits["heading"] == "Limits"
    assert "“One”: its results are partial and one statement that it could not verify was left out." in limits["body"]
    assert "“Two”: five findings beyond the first 120 were not taken." in limits["body"]
    assert [item["partial"] for item in result["methods"]["sessions"]] == [True, False]


async def test_write_up_leaves_the_rest_unread() -> None:
    documents = {f"s{n}": results(f"Q{n}", finding(SPACED, "a")) for n in range(4)}
    sources = Library(results=documents)
    context = Context(Job("s", "synthesis", PROMPT, sessions=tuple(documents)), sources, write_up_after=1)
    result = await run_engine(SynthesisEngine(), context)
    assert result["partial"] is True
    assert result["methods"]["not_read"] == ["s2", "s3"]
    assert context.used == {"finding_merged": 2}


async def test_themes_gather_statements_that_have_one() -> None:
    documents = {
        "s1": results("One", finding("Kelp forests shelter young fish.", "a"), finding("Rivers carry silt.", "b")),
        "s2": results("Two", finding("Storms uproot kelp forests.", "c"), finding("Owls hunt at night.", "d")),
    }
    result = await synthesis(documents)
    (theme,) = result["themes"]
    assert theme["label"] == "Kelp forests"
    assert len(theme["claims"]) == 2
    section = next(item for item in result["sections"] if item["heading"] == "Theme: Kelp forests")
    assert "Storms uproot kelp forests. [" in section["body"]


async def test_a_source_that_both_cite_for_different_things_is_a_bridge() -> None:
    documents = {
        "s1": results("One", finding("Kelp forests shelter young fish.", "a")),
        "s2": results("Two", finding("Storms uproot trees.", "a")),
    }
    result = await synthesis(documents)
    (bridge,) = result["bridges"]
    assert (bridge["kind"], bridge["term"]) == ("source", "Title a")
    assert [step["passage"]["quote"] for step in bridge["path"]] == ["Quote of a."] * 2


async def test_results_of_other_engines_may_hold_the_least() -> None:
    odd = {
        "summary": "Counted.",
        "key_findings": [{"text": "Nine words were counted."}, "no object", {"text": "Ten.", "citations": ["x", "y"]}],
        "sections": [{"claims": [{"text": "Owls hunt at night.", "citations": "x"}]}, None],
        "citations": [{"id": "x"}, {"id": "y", "document_id": "d", "passages": [{"page": 1}]}, 7],
        "tables": "none",
        "methods": "by hand",
    }
    result = await synthesis({"s1": odd, "s2": {"summary": "Nothing."}})
    told = {item["text"]: item for item in result["key_findings"]}
    assert told["Nine words were counted."]["support"] == "computed"
    (entry,) = told["Ten."]["provenance"]
    assert (entry["citation"], entry["passage"]) == (result["citations"][0]["id"], None)
    assert "“s2” found no answer." in result["summary"]


def index(*citations: Document) -> WorkIndex:
    documents = [
        results(str(number), finding(f"Statement {number}.", one["id"].removeprefix("citation-")), citations=[one])
        for number, one in enumerate(citations)
    ]
    return WorkIndex([session_of(f"s{number}", document)[0] for number, document in enumerate(documents)])


def works_of(made: WorkIndex, *citations: Document) -> list[int]:
    found = []
    for number, one in enumerate(citations):
        document = results("q", finding(f"Statement {number}.", one["id"].removeprefix("citation-")), citations=[one])
        (stated,) = session_of(f"s{number}", document)[0].findings
        found += made.works(stated)
    return found


@pytest.mark.parametrize(
    ("citations", "works"),
    [
        # The third has the first's DOI and the second's title: all three are one work, in whatever order they come.
        (
            [
                citation("a", doi="10.1/x"),
                citation("b", title="A study of very small things", year=2001),
                citation("c", doi="10.1/X", title="A study of very small things", year=2001),
            ],
            1,
        ),
        # The same bytes under two ids.
        ([citation("a"), {**citation("b"), "passages": citation("a")["passages"]}], 1),
        # One title, other authors.
        (
            [
                citation("a", title="A study of very small things", authors=["Lee, A."], year=2001),
                citation("b", title="A study of very small things", authors=["Kim, B."], year=2001),
            ],
            2,
        ),
        (
            [
                citation("a", title="A study of very small things", authors=["Ann Lee"]),
                citation("b", title="A study of very small things", authors=["Lee, Ann"]),
            ],
            1,
        ),
    ],
)
def test_which_citations_are_one_work(citations: list[Document], works: int) -> None:
    for order in (citations, citations[::-1]):
        assert len(set(works_of(index(*order), *order))) == works


def test_works_that_one_session_cites_from_one_text_stay_apart() -> None:
    """A bibliography: one stored text describes many works."""
    shared = citation("list")["passages"][0]
    entries = [
        {**citation(name), "document_id": "list", "passages": [{**shared, "start": place, "end": place + 5}]}
        for place, name in ((0, "a"), (10, "b"))
    ]
    document = results("q", finding("First.", "a"), finding("Second.", "b"), citations=entries)
    session, _ = session_of("s1", document)
    made = WorkIndex([session])
    assert len({work for one in session.findings for work in made.works(one)}) == 2
