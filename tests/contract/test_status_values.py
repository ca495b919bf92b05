"""Every status value: a session that is led there says so, in its own answer, in lists and in its history."""

from __future__ import annotations

import pytest

from tests.contract.calls import given
from tests.contract.shapes import is_a
from tests.contract.table import load
from tests.contract.world import World
from tests.support.rest import TERMINAL

TABLE = load()
STATUSES = list(TABLE.status_values.items())
HELD_BY_MONEY = [status for status in TABLE.status_values if status not in TERMINAL]


@pytest.mark.parametrize(("status", "scenario"), STATUSES)
async def test_session_says_its_status(world: World, status: str, scenario: str) -> None:
    made = await given(world, scenario)
    session = await made.api.session(made.path["session_id"])
    assert session["status"] == status
    assert ("finished_at" in session) == (status in TERMINAL)
    assert ("results" in session) == (status == "completed")
    assert ("error_details" in session) == (status in ("failed", "timeout"))
    assert (session["progress"] == 100) == (status == "completed")


@pytest.mark.parametrize(("status", "scenario"), STATUSES)
async def test_list_filters_by_status(world: World, status: str, scenario: str) -> None:
    made = await given(world, scenario)
    found = await made.api.get("/sessions", status=status)
    assert made.path["session_id"] in [session["session_id"] for session in found["sessions"]]
    assert {session["status"] for session in found["sessions"]} == {status}
    assert found["summary"]["by_status"][status] == found["total_count"] >= 1
    for other in set(TABLE.status_values) - {status}:
        assert (await made.api.get("/sessions", status=other))["total_count"] == 0


@pytest.mark.parametrize(("status", "scenario"), STATUSES)
async def test_history_tells_how_it_came_there(world: World, status: str, scenario: str) -> None:
    made = await given(world, scenario)
    timeline = (await made.api.get(f"/sessions/{made.path['session_id']}/history"))["timeline"]
    assert [row["seq"] for row in timeline] == list(range(1, len(timeline) + 1))
    assert f"session.{status}" in [row["type"] for row in timeline]


@pytest.mark.parametrize("status", sorted(TERMINAL))
async def test_money_is_settled_when_a_session_has_ended(world: World, status: str) -> None:
    made = await given(world, TABLE.status_values[status])
    cost = (await made.api.get(f"/sessions/{made.path['session_id']}/metrics"))["cost_breakdown"]
    assert all(is_a("decimal", cost[name]) for name in ("held", "charged", "released"))
    assert _micros(cost["held"]) == _micros(cost["charged"]) + _micros(cost["released"])
    assert sum(_micros(item["amount"]) for item in cost["items"]) == _micros(cost["charged"])


@pytest.mark.parametrize("status", HELD_BY_MONEY)
async def test_money_is_held_while_a_session_is_open(world: World, status: str) -> None:
    made = await given(world, TABLE.status_values[status])
    cost = (await made.api.get(f"/sessions/{made.path['session_id']}/metrics"))["cost_breakdown"]
    balance = await made.api.get("/billing/balance")
    assert balance["held"] == cost["held"] != "0.00"
    assert _micros(balance["available"]) + _micros(balance["held"]) == _micros("1000.00")


async def test_a_failure_says_what_happened(world: World) -> None:
    made = await given(world, "failed_session")
    error = (await made.api.session(made.path["session_id"]))["error_details"]
    assert error == {
        "code": "unusable_input",
        "message": "The input cannot be used",
        "stage": "prepare",
        "retryable": False,
    }


async def test_a_time_out_says_what_happened(world: World) -> None:
    made = await given(world, "timed_out_session")
    error = (await made.api.session(made.path["session_id"]))["error_details"]
    assert error["code"] == "time_limit_exceeded"
    assert error["stage"] == "prepare"
    metrics = await made.api.get(f"/sessions/{made.path['session_id']}/metrics")
    assert metrics["execution_time"] >= 60


async def test_the_whole_way_step_by_step(world: World) -> None:
    """Queued, claimed, running, paused, queued again, running from the checkpoint, completed; nothing is lost."""
    api = await world.user_with_a_document()
    session_id = await world.running(api)
    signals = world.signals
    await signals.use(session_id, "document_read", 2)
    await signals.decide(session_id, "read two", "they fit", alternatives=["read none"])
    await signals.finish_stage(session_id, {"notes": 2})
    looked = await signals.look(session_id)
    assert (looked["stage"], looked["outputs"]) == ("work", {"prepare": {"notes": 2}})

    paused = await api.post(f"/sessions/{session_id}/pause")
    assert (paused["status"], paused["current_stage"]) == ("paused", "work")
    await signals.until_released(session_id)
    resumed = await api.post(f"/sessions/{session_id}/resume")
    assert (resumed["status"], resumed["progress"]) == ("queued", paused["progress"])
    looked = await signals.look(session_id)
    assert (looked["stage"], looked["outputs"]) == ("work", {"prepare": {"notes": 2}})
    await signals.complete(session_id)
    session = await api.until_status(session_id, "completed")
    assert session["progress"] == 100

    history = await api.get(f"/sessions/{session_id}/history")
    statuses = [row["type"] for row in history["timeline"] if row["type"].startswith("session.")]
    assert statuses == [
        "session.created", "session.queued", "session.initializing", "session.running", "session.paused",
        "session.resumed", "session.initializing", "session.running", "session.completed",
    ]  # fmt: skip
    assert [point["decision"] for point in history["decision_points"]] == ["read two"]
    metrics = await api.get(f"/sessions/{session_id}/metrics")
    assert metrics["performance_metrics"]["attempts"] == 2
    items = {item["item"]: item for item in metrics["cost_breakdown"]["items"]}
    assert (items["document_read"]["quantity"], items["document_read"]["amount"]) == (2, "0.04")


def _micros(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0"))
