"""Creating, pausing and cancelling: what is refused leaves nothing behind, what is accepted is held and given back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.assertions import assert_error
from tests.contract.calls import given
from tests.contract.table import load
from tests.contract.world import World
from tests.support.rest import API, Api
from tests.support.stack import PARKED

TABLE = load()
POINTS = {"name": "Points", "csv": "x,y\n1,2\n2,4\n3,7\n"}


async def _inputs(world: World, session_type: str) -> tuple[Api, dict[str, Any]]:
    """A user and what a session of this type needs."""
    if session_type == "analysis":
        return world.people.new(), {"datasets": [POINTS]}
    if session_type == "research":
        return await world.user_with_a_document(), {}
    api = await world.user_with_a_document()
    sessions = []
    for _ in range(2):
        session_id = await world.running(api)
        await world.signals.complete(session_id)
        await api.until_status(session_id, "completed")
        await api.settled_balance(session_id)
        sessions.append(session_id)
    return api, {"sessions": sessions}


@pytest.mark.parametrize("session_type", TABLE.session_types)
async def test_session_type(world: World, session_type: str) -> None:
    api, inputs = await _inputs(world, session_type)
    session_id = await world.parked(api, session_type=session_type, inputs=inputs)
    session = await api.session(session_id)
    assert (session["session_type"], session["status"]) == (session_type, "queued")
    assert session["inputs"]["sessions"] == inputs.get("sessions", [])
    assert [dataset["name"] for dataset in session["inputs"]["datasets"]] == (
        ["Points"] if "datasets" in inputs else []
    )
    found = await api.get("/sessions", session_type=session_type, status="queued")
    assert [s["session_id"] for s in found["sessions"]] == [session_id]


@pytest.mark.parametrize("session_type", TABLE.session_types)
async def test_an_estimate_is_what_creation_says(world: World, session_type: str) -> None:
    api, inputs = await _inputs(world, session_type)
    before = await api.get("/billing/balance")
    body = {"prompt": "Why?", "session_type": session_type, "inputs": inputs, "preferences": {"engine": PARKED}}
    estimate = await api.post("/sessions/estimate", body)
    assert await api.get("/billing/balance") == before, "an estimate holds nothing"
    created = await api.post("/sessions", body, status=201)
    assert created["cost_estimate"] == estimate["cost_estimate"]
    cost = estimate["cost_estimate"]
    assert float(cost["min"]) <= float(cost["amount"]) <= float(cost["max"])


async def test_what_is_held_is_the_upper_end_of_the_estimate(world: World) -> None:
    api = await world.user_with_a_document()
    created = await api.post("/sessions", {"prompt": "Why?", "preferences": {"engine": PARKED}}, status=201)
    balance = await api.get("/billing/balance")
    assert balance["held"] == created["cost_estimate"]["max"]
    session = await api.session(created["session_id"])
    assert session["budget"] == {"limit": created["cost_estimate"]["max"], "on_limit": "finish"}


async def test_a_budget_caps_what_is_held(world: World) -> None:
    api = await world.user_with_a_document()
    session_id = await world.parked(api, budget={"limit": "1.75", "on_limit": "fail"})
    assert (await api.get("/billing/balance"))["held"] == "1.75"
    assert (await api.session(session_id))["budget"] == {"limit": "1.75", "on_limit": "fail"}


async def test_metadata_comes_back_equal(world: World) -> None:
    metadata = {"a": [1, 2.5, None, True, {"b": "ü"}], "big": 1e300, "small": 0.1, "none": None, "empty": {}}
    api = await world.user_with_a_document()
    session_id = await world.parked(api, metadata=metadata)
    assert (await api.session(session_id))["metadata"] == metadata


async def test_inline_inputs_become_references(world: World) -> None:
    api = world.people.new()
    text = "The ocean takes up carbon dioxide from the air."
    inputs = {"documents": [{"title": "A note", "text": text}]}
    session_id = await world.parked(api, inputs=inputs)
    (document,) = (await api.session(session_id))["inputs"]["documents"]
    assert document["title"] == "A note"
    stored = await api.send("GET", f"{API}/documents/{document['document_id']}/text")
    assert stored.text == text
    assert (await api.get("/documents"))["total_count"] == 0, "it belongs to the session, not to the library"


async def _refused(api: Api, body: dict[str, Any], names: str) -> None:
    answer = await api.send("POST", f"{API}/sessions", body={"prompt": "Why?", **body})
    assert_error(answer, 400, "validation_error")
    assert names in answer.fields, answer.text
    assert (await api.get("/billing/balance"))["held"] == "0.00"
    assert (await api.get("/sessions"))["total_count"] == 0
    assert (await api.get("/billing/transactions"))["total_count"] <= 1, "at most the grant a user starts with"


async def test_research_without_a_source(world: World) -> None:
    await _refused(world.people.new(), {}, "inputs")


async def test_analysis_without_data(world: World) -> None:
    await _refused(await world.user_with_a_document(), {"session_type": "analysis"}, "inputs.datasets")


async def test_analysis_of_a_document_that_is_no_table(world: World) -> None:
    api = world.people.new()
    document_id = await api.add_document("A note", "No table at all.")
    body = {"session_type": "analysis", "inputs": {"datasets": [{"document_id": document_id}]}}
    await _refused(api, body, "inputs.datasets[0].document_id")


async def test_synthesis_of_a_foreign_session(world: World) -> None:
    foreign = await given(world, "completed_session")
    body = {"session_type": "synthesis", "inputs": {"sessions": [foreign.path["session_id"], world.new_id()]}}
    stranger = world.people.new()
    await _refused(stranger, body, "inputs.sessions[0]")
    answer = await stranger.send("POST", f"{API}/sessions", body={"prompt": "Why?", **body})
    told = {fault["issue"] for fault in answer.body["details"]["fields"]}
    assert len(told) == 1, "a foreign session is told like an unknown one"


async def test_synthesis_of_a_session_that_has_not_ended(world: World) -> None:
    api = await world.user_with_a_document()
    session_id = await world.parked(api)
    body = {"prompt": "Why?", "session_type": "synthesis", "inputs": {"sessions": [session_id, world.new_id()]}}
    answer = await api.send("POST", f"{API}/sessions", body=body)
    assert_error(answer, 400, "validation_error")
    assert answer.fields == ["inputs.sessions[0]", "inputs.sessions[1]"]


async def test_a_session_shared_with_me_can_be_an_input(world: World) -> None:
    api, inputs = await _inputs(world, "synthesis")
    reader = world.people.new()
    for session_id in inputs["sessions"]:
        await api.share(session_id, f"user:{reader.user}")
    assert await world.parked(reader, session_type="synthesis", inputs=inputs)


async def test_without_balance_nothing_is_created(world: World) -> None:
    made = await given(world, "spent_balance")
    before = [await made.api.get(path) for path in ("/billing/balance", "/billing/transactions")]
    count = (await made.api.get("/sessions"))["total_count"]
    body = {**(made.body or {}), "budget": {"limit": "900.00"}}
    answer = await made.api.send("POST", f"{API}/sessions", body=body)
    assert_error(answer, 402, "insufficient_balance")
    details = answer.body["details"]
    assert float(details["required"]) > float(details["available"])
    assert (details["available"], details["currency"]) == (before[0]["available"], "FTNS")
    assert [await made.api.get(path) for path in ("/billing/balance", "/billing/transactions")] == before
    assert (await made.api.get("/sessions"))["total_count"] == count


async def test_over_the_quota_nothing_is_created(world: World) -> None:
    made = await given(world, "full_quota")
    before = await made.api.get("/billing/balance")
    answer = await made.api.send("POST", f"{API}/sessions", body=made.body)
    assert_error(answer, 429, "session_quota_exceeded")
    assert answer.body["details"] == {"quota": "open_sessions", "limit": 100, "used": 100}
    assert int(answer.headers["Retry-After"]) >= 1
    assert await made.api.get("/billing/balance") == before
    listed = await made.api.get("/sessions", limit="1")
    assert listed["total_count"] == listed["summary"]["by_status"]["queued"] == 100


async def test_an_ended_session_makes_room_in_the_quota(world: World) -> None:
    api = await world.user_with_a_document()
    session_id = await world.parked(api)
    before = await api.get("/billing/balance")
    await api.post(f"/sessions/{session_id}/cancel")
    after = await api.get("/billing/balance")
    assert (before["held"] != "0.00", after["held"], after["available"]) == (True, "0.00", "1000.00")


async def test_cancelling_twice(world: World) -> None:
    made = await given(world, "queued_session")
    path = f"{API}/sessions/{made.path['session_id']}/cancel"
    held = (await made.api.get("/billing/balance"))["held"]
    first = (await made.api.send("POST", path, body={"reason": "No longer needed"})).expect(200)
    assert (first["status"], first["refund_amount"]) == ("cancelled", held)
    second = await made.api.send("POST", path)
    assert_error(second, 400, "session_cannot_be_cancelled")
    assert second.body["details"]["status"] == "cancelled"
    kinds = [t["kind"] for t in (await made.api.get("/billing/transactions"))["transactions"]]
    assert kinds.count("release") == 1
    assert (await made.api.get("/billing/balance"))["available"] == "1000.00"


async def test_cancelling_work_under_way_charges_what_was_done(world: World) -> None:
    made = await given(world, "running_session")
    session_id = made.path["session_id"]
    await world.signals.use(session_id, "document_read", 3)
    await world.signals.finish_stage(session_id)
    await world.signals.look(session_id)
    cancelled = await made.api.post(f"/sessions/{session_id}/cancel")
    cost = (await made.api.get(f"/sessions/{session_id}/metrics"))["cost_breakdown"]
    assert (cost["charged"], cost["released"]) == ("1.06", cancelled["refund_amount"])
    balance = await made.api.get("/billing/balance")
    assert (balance["available"], balance["held"]) == ("998.94", "0.00")


async def test_pausing_what_is_queued_and_resuming_what_runs(world: World) -> None:
    for scenario, action, status in (("queued_session", "pause", "queued"), ("running_session", "resume", "running")):
        made = await given(world, scenario)
        session_id = made.path["session_id"]
        before = await made.api.get(f"/sessions/{session_id}/history")
        answer = await made.api.send("POST", f"{API}/sessions/{session_id}/{action}")
        assert_error(answer, 400, f"session_cannot_be_{action}d")
        assert answer.body["details"] == {"status": status}
        assert await made.api.get(f"/sessions/{session_id}/history") == before


async def test_a_crash_is_not_charged(world: World) -> None:
    """After its last attempt the session has failed, and all of the hold is given back."""
    made = await given(world, "running_session")
    session_id = made.path["session_id"]
    for _ in range(3):
        await world.signals.use(session_id, "document_read", 1)
        await world.signals.crash(session_id)
    session = await made.api.until_status(session_id, "failed")
    assert (session["error_details"]["code"], session["error_details"]["retryable"]) == ("engine_crashed", True)
    metrics = await made.api.get(f"/sessions/{session_id}/metrics")
    assert (metrics["cost_breakdown"]["charged"], metrics["performance_metrics"]["attempts"]) == ("0.00", 3)
    assert (await made.api.settled_balance(session_id))["available"] == "1000.00"
