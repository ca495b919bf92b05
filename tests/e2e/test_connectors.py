"""Research over what connectors find, on a stack that has them: nothing of it is on by default."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.e2e.conftest import Furnished
from tests.e2e.lab import conduct, money
from tests.support.rest import API, Api
from tests.support.scholarly.papers import MOSS, PEAT
from tests.support.scholarly.server import NAMES, Fault

PROMPT = "How does rewetting change the carbon dioxide emissions of drained peatlands?"
EXTRACTIVE = {"model": "none"}
"""What is looked at here is what connectors found: the stack's language model writes none of it."""


async def decisions(api: Api, session_id: str) -> list[Any]:
    return list((await api.get(f"/sessions/{session_id}/history"))["decision_points"])


async def test_a_session_without_documents_cites_what_connectors_found(furnished: Furnished) -> None:
    api = furnished.people.new()
    done = await conduct(api, PROMPT, preferences=EXTRACTIVE)
    session = await api.session(done.session_id)
    # What the session asks stands in it: it stays the same whatever is enabled later.
    assert session["preferences"]["connectors"] == sorted(NAMES)
    results = await done.results()
    cited = {citation["doi"]: citation for citation in results["citations"]}
    assert PEAT.doi in cited
    peat = cited[PEAT.doi]
    assert peat["csl"]["container-title"] == PEAT.journal
    for citation in results["citations"]:
        answer = await api.send("GET", f"{API}/documents/{citation['document_id']}/text")
        assert answer.status == 200
        text = answer.text
        assert citation["passages"]
        for passage in citation["passages"]:
            assert text[passage["start"] : passage["end"]] == passage["quote"]
            assert hashlib.sha256(text.encode()).hexdigest() == passage["sha256"]
    assert any("62 percent" in finding["text"] for finding in results["results"]["key_findings"])
    (told, *_) = [each for each in await decisions(api, done.session_id) if each["decision"] == "connectors asked"]
    assert all(name in told["reason"] for name in ("arXiv", "Crossref", "Europe PMC", "OpenAlex"))
    # What was held was enough, and nothing of it came into the library.
    assert money(done.created["cost_estimate"]["max"]) >= money(done.before["available"]) - money(
        done.after["available"]
    )
    assert (await api.get("/documents"))["total_count"] == 0
    again = await conduct(api, PROMPT, preferences=EXTRACTIVE)
    assert [c["doi"] for c in (await again.results())["citations"]] == [c["doi"] for c in results["citations"]]


async def test_connectors_that_fail_are_left_out(furnished: Furnished) -> None:
    api = furnished.people.new()
    await api.add_document("Valley", "Rewetting drained peatlands in our valley lowered emissions by half.")
    for name in ("arxiv", "crossref", "europepmc"):
        furnished.scholarly.fail(name, *[Fault(400)] * 4)
    done = await conduct(
        api, "How does rewetting of drained peatlands change moss growth and emissions?", preferences=EXTRACTIVE
    )
    titles = {citation["title"] for citation in (await done.results())["citations"]}
    assert "Valley" in titles
    assert titles & {PEAT.title, MOSS.title}
    told = [each for each in await decisions(api, done.session_id) if each["decision"] == "connectors asked"]
    assert "arXiv refuses the request (HTTP 400) and is left out" in told[0]["reason"]
    furnished.scholarly.faults.clear()


async def test_when_the_only_sources_fail_the_session_says_why(furnished: Furnished) -> None:
    api = furnished.people.new()
    furnished.scholarly.fail("openalex", *[Fault(403)] * 8)
    created = await api.post(
        "/sessions",
        {"prompt": "Which sphagnum species return?", "preferences": {**EXTRACTIVE, "connectors": ["openalex"]}},
        status=201,
    )
    session = await api.until_status(created["session_id"], "failed")
    assert session["error_details"]["code"] == "no_usable_source"
    assert "openalex refuses the request (HTTP 403)" in session["error_details"]["message"]
    furnished.scholarly.faults.clear()


async def test_the_choice_of_connectors(furnished: Furnished) -> None:
    api = furnished.people.new()

    async def estimate(**preferences: Any) -> Any:
        return await api.send("POST", f"{API}/sessions/estimate", body={"prompt": PROMPT, "preferences": preferences})

    assert (await estimate(connectors=["arxiv"])).status == 200
    assert (await estimate()).status == 200
    unknown = await estimate(connectors=["arxiv", "pubmed"])
    assert unknown.status == 400
    assert unknown.fields == ["preferences.connectors[1]"]
    # Without any, and with an empty library, there is nothing to work on.
    none = await estimate(connectors=["none"])
    assert none.status == 400
    assert none.fields == ["inputs"]


async def test_a_session_that_names_documents_asks_nobody_unless_it_says_so(furnished: Furnished) -> None:
    api = furnished.people.new()
    text = "Rewetting drained peatlands lowered their carbon dioxide emissions by half in our own plots."
    inputs = {"documents": [{"title": "Plots", "text": text}]}
    before = furnished.scholarly.requests
    alone = await conduct(api, PROMPT, inputs=inputs, preferences=EXTRACTIVE)
    assert {citation["title"] for citation in (await alone.results())["citations"]} == {"Plots"}
    assert furnished.scholarly.requests == before
    both = await conduct(api, PROMPT, inputs=inputs, preferences={**EXTRACTIVE, "connectors": ["europepmc"]})
    assert {citation["title"] for citation in (await both.results())["citations"]} >= {"Plots", PEAT.title}
