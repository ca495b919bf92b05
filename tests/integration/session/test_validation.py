"""What is wrong with a request is told, all of it at once, and nothing is half-done."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from kit.errors import PrsmError
from kit.levels import Level
from tests.integration.session.stand import Stand, pb

UNKNOWN = "01890000-0000-7000-8000-000000000000"


async def faults(stand: Stand, body: dict[str, Any]) -> dict[str, str]:
    request = ParseDict({"prompt": "Why?", **body}, pb.CreateSessionRequest())
    with pytest.raises(PrsmError) as error:
        await stand.call("ada", "CreateSession", request)
    assert error.value.name == "VALIDATION_ERROR"
    assert error.value.details is not None
    assert stand.books.holds == {}
    return {fault["field"]: fault["issue"] for fault in error.value.details["fields"]}


async def test_rules_of_the_contract_and_of_the_domain_together(stand: Stand) -> None:
    found = await faults(
        stand,
        {
            "prompt": "  ",
            "session_type": "poetry",
            "budget": {"limit": "12,50", "on_limit": "explode"},
            "preferences": {"depth": "abyss", "connectors": ["web"]},
            "inputs": {"documents": [{}]},
        },
    )
    assert set(found) == {
        "prompt",
        "session_type",
        "budget.limit",
        "budget.on_limit",
        "preferences.depth",
        "inputs.documents[0]",
    }
    assert stand.shelves.prepared == 0


async def test_no_prompt_and_a_huge_one(stand: Stand) -> None:
    assert "prompt" in await faults(stand, {"prompt": ""})
    assert "prompt" in await faults(stand, {"prompt": "x" * 20_001})


async def test_faults_of_the_library_travel_on(stand: Stand) -> None:
    found = await faults(stand, {"inputs": {"documents": [{"document_id": "nope"}]}})
    assert found == {"inputs.documents[0].document_id": "is not in your library"}


async def test_research_needs_a_source(stand: Stand) -> None:
    stand.shelves.library_documents = 0
    assert list(await faults(stand, {})) == ["inputs"]
    document = pb.DocumentInput(title="Salt", text="Rivers carry salt.")
    session_id = await stand.create(inputs=pb.Inputs(documents=[document]))
    assert [d.title for d in (await stand.get(session_id)).inputs.documents] == ["Salt"]
    dataset = pb.DatasetInput(name="sea", csv="a,b\n1,2\n")
    session_id = await stand.create(inputs=pb.Inputs(datasets=[dataset]))
    assert [d.name for d in (await stand.get(session_id)).inputs.datasets] == ["sea"]


async def test_an_analysis_needs_data(stand: Stand) -> None:
    assert list(await faults(stand, {"session_type": "analysis"})) == ["inputs.datasets"]


async def test_a_synthesis_of_sessions_that_may_be_seen(stand: Stand) -> None:
    mine, shared, foreign = [await stand.completed(user) for user in ("ada", "bob", "bob")]
    stand.shares.share(shared, "ada", Level.VIEW)
    open_one = await stand.create("ada")
    stand.books.holds.clear()
    sessions = [mine, shared, foreign, UNKNOWN, open_one, "nonsense"]
    found = await faults(stand, {"session_type": "synthesis", "inputs": {"sessions": sessions}})
    unseen = "is not a session that you may view"
    assert found == {
        "inputs.sessions[2]": unseen,
        "inputs.sessions[3]": unseen,
        "inputs.sessions[4]": "is queued: only completed sessions can be used",
        "inputs.sessions[5]": unseen,
    }
    inputs = pb.Inputs(sessions=[mine, shared])
    session_id = await stand.create(session_type="synthesis", inputs=inputs)
    assert list((await stand.get(session_id)).inputs.sessions) == [mine, shared]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": 0}, "page"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"status": "lost"}, "status"),
        ({"session_type": "poetry"}, "session_type"),
        ({"scope": "world"}, "scope"),
        ({"date_from": "yesterday"}, "date_from"),
        ({"date_to": "2026-02-30"}, "date_to"),
        ({"date_to": "2026-01-31T25:00:00Z"}, "date_to"),
        ({"date_from": "2026-02-01", "date_to": "2026-01-31"}, "date_to"),
        ({"cursor": "nonsense"}, "cursor"),
    ],
)
async def test_bad_lists(stand: Stand, query: dict[str, Any], field: str) -> None:
    with pytest.raises(PrsmError) as error:
        await stand.call("ada", "ListSessions", pb.ListSessionsRequest(**query))
    assert error.value.details is not None
    assert [fault["field"] for fault in error.value.details["fields"]] == [field]


@pytest.mark.parametrize(
    ("method", "request_", "name"),
    [
        ("PauseSession", pb.PauseSessionRequest, "SESSION_CANNOT_BE_PAUSED"),
        ("ResumeSession", pb.ResumeSessionRequest, "SESSION_CANNOT_BE_RESUMED"),
    ],
)
async def test_state_conflicts_name_the_status(stand: Stand, method: str, request_: Any, name: str) -> None:
    session_id = await stand.create()
    with pytest.raises(PrsmError) as error:
        await stand.call("ada", method, request_(session_id=session_id))
    assert (error.value.name, error.value.details) == (name, {"status": "queued"})


async def test_cancelling_twice(stand: Stand) -> None:
    session_id = await stand.create()
    request = pb.CancelSessionRequest(session_id=session_id, reason="Changed my mind")
    assert (await stand.call("ada", "CancelSession", request)).refund_amount == "10.00"
    with pytest.raises(PrsmError) as error:
        await stand.call("ada", "CancelSession", request)
    assert (error.value.name, error.value.details) == ("SESSION_CANNOT_BE_CANCELLED", {"status": "cancelled"})


async def test_an_engine_that_cannot_be_paused(stand: Stand) -> None:
    session_id = await stand.create(preferences=pb.Preferences(engine="fixed"))
    await stand.started()
    with pytest.raises(PrsmError) as error:
        await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
    assert (error.value.name, error.value.details) == ("SESSION_CANNOT_BE_PAUSED", {"status": "running"})
    assert await stand.status(session_id) == "running"


async def test_a_citation_style_must_be_one_that_the_caller_may_use(stand: Stand) -> None:
    stand.styles.usable.add(("ada", UNKNOWN))
    assert await faults(stand, {"preferences": {"citation_style": "no-such"}}) == {
        "preferences.citation_style": "is no citation style that you may use"
    }
    with pytest.raises(PrsmError) as error:
        await stand.create("ben", preferences=pb.Preferences(citation_style=UNKNOWN))
    assert error.value.name == "VALIDATION_ERROR"
    session_id = await stand.create(preferences=pb.Preferences(citation_style=UNKNOWN))
    assert (await stand.get(session_id)).preferences.citation_style == UNKNOWN
    assert stand.styles.used == {("ada", UNKNOWN)}


async def test_an_estimate_keeps_no_citation_style(stand: Stand) -> None:
    stand.styles.usable.add(("ada", UNKNOWN))
    request = pb.EstimateSessionRequest(prompt="Why?", preferences=pb.Preferences(citation_style=UNKNOWN))
    await stand.call("ada", "EstimateSession", request)
    assert stand.styles.used == set()


async def test_built_in_citation_styles_need_no_answer_of_results(stand: Stand) -> None:
    stand.styles.away = True
    assert await stand.create(preferences=pb.Preferences(citation_style="vancouver"))
    with pytest.raises(PrsmError) as error:
        await stand.create(preferences=pb.Preferences(citation_style="house-style"))
    assert error.value.name == "UNAVAILABLE"
