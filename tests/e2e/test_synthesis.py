"""A synthesis of sessions of different types, one of them another user's, read from the running stack."""

from __future__ import annotations

import pytest_asyncio

from tests.e2e import lab
from tests.e2e.conftest import Sessions
from tests.e2e.lab import JSON, Done
from tests.support.rest import API, Api, People

PROMPT = "How does carbon dioxide change, and what takes it up?"


@pytest_asyncio.fixture(scope="module")
async def reader(people: People, ada: Api, sessions: Sessions) -> Api:
    """Somebody else, who may view what Ada found."""
    reader = people.new("grace", email="grace@example.org")
    for done in (sessions.research, sessions.analysis, sessions.synthesis):
        await ada.share(done.session_id, "user:grace")
    return reader


@pytest_asyncio.fixture(scope="module")
async def mixed(reader: Api, sessions: Sessions) -> Done:
    """The reader's synthesis of a research, an analysis and a synthesis session."""
    inputs = [done.session_id for done in (sessions.synthesis, sessions.research, sessions.analysis)]
    return await lab.conduct(reader, PROMPT, session_type="synthesis", inputs={"sessions": inputs})


async def test_every_statement_goes_back_to_its_session_and_passage(
    mixed: Done, reader: Api, sessions: Sessions
) -> None:
    answer = await mixed.results()
    inputs = {
        done.session_id: await done.results() for done in (sessions.research, sessions.analysis, sessions.synthesis)
    }
    stated = {name: _stated(document["results"]) for name, document in inputs.items()}
    cited = {item["id"]: item for item in answer["citations"]}
    texts: dict[str, str] = {}
    for citation in cited.values():
        for passage in citation["passages"]:
            document_id = passage.get("document_id", citation["document_id"])
            if document_id not in texts:
                texts[document_id] = (await reader.send("GET", f"{API}/documents/{document_id}/text")).text
            text = texts[document_id]
            assert text[int(passage["start"]) : int(passage["end"])] == passage["quote"]
            assert passage["sha256"] == lab.digest(text)
    claims = [claim for section in answer["results"]["sections"] for claim in section["claims"]]
    assert {claim["support"] for claim in claims} >= {"supported", "computed"}
    for claim in [*claims, *answer["results"]["key_findings"]]:
        assert set(claim["citations"]) <= cited.keys()
        for entry in claim["provenance"]:
            assert stated[entry["session_id"]][entry.get("finding_id") or entry["claim_id"]] == entry["text"]
            if entry["citation"] is not None:
                assert entry["passage"]["quote"] in [one["quote"] for one in cited[entry["citation"]]["passages"]]


async def test_what_was_computed_is_taken_over_with_its_exhibits(mixed: Done, sessions: Sessions) -> None:
    answer, analysis = (await mixed.results())["results"], (await sessions.analysis.results())["results"]
    assert [table["id"] for table in answer["tables"]] == [table["id"] for table in analysis["tables"]]
    assert [figure["id"] for figure in answer["figures"]] == [figure["id"] for figure in analysis["figures"]]
    computed = [item for item in answer["key_findings"] if item["support"] == "computed"]
    assert computed
    found = {item["text"]: item for item in analysis["key_findings"]}
    for item in computed:
        for name in ("numbers", "kind", "dataset"):
            assert item[name] == found[item["text"]][name]


async def test_a_session_and_its_own_synthesis_are_one_voice(mixed: Done, sessions: Sessions) -> None:
    answer = (await mixed.results())["results"]
    claims = [claim for section in answer["sections"] for claim in section["claims"]]
    both = [
        claim
        for claim in claims
        if {sessions.research.session_id, sessions.synthesis.session_id} <= set(claim["sessions"])
    ]
    assert both
    roots = {sessions.research.session_id, sessions.more_research.session_id}
    for claim in both:
        through = [entry for entry in claim["provenance"] if entry["session_id"] == sessions.synthesis.session_id]
        origins = {origin["session_id"] for entry in through for origin in entry["origins"]}
        assert origins <= roots
        assert claim["agreement"]["sessions"] == len(origins | {sessions.research.session_id})


async def test_it_is_billed_by_finding_and_exported(mixed: Done) -> None:
    metrics = await mixed.api.get(f"{mixed.path}/metrics")
    items = {item["item"]: item for item in metrics["cost_breakdown"]["items"]}
    findings = sum(item["findings"] for item in (await mixed.results())["results"]["methods"]["sessions"])
    assert items["finding_merged"]["quantity"] == findings <= 3 * 200
    markdown = (await mixed.export(format="markdown")).decode()
    for heading in ("From “Analysis of", "How this was made", "Limits"):
        assert heading in markdown


def _stated(document: JSON) -> dict[str, str]:
    claims = [claim for section in document["sections"] for claim in section["claims"]]
    return {item["id"]: item["text"] for item in [*document["key_findings"], *claims]}
