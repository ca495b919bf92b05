"""What a session cost and how it went: the figures add up, the balance moved by them, nothing is left out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kit.times import parse_rfc3339
from tests.e2e.conftest import Sessions
from tests.e2e.lab import Done, money

STEPS = ["session.created", "session.queued", "session.initializing", "session.running", "session.completed"]


async def _cost(done: Done) -> Any:
    return (await done.api.get(f"{done.path}/metrics"))["cost_breakdown"]


async def test_items_add_up_to_what_is_charged(done: Done) -> None:
    cost = await _cost(done)
    assert sum(money(item["amount"]) for item in cost["items"]) == money(cost["charged"]) > 0
    assert money(cost["held"]) == money(cost["charged"]) + money(cost["released"])
    assert cost["held"] == done.created["cost_estimate"]["max"]
    assert {item["item"] for item in cost["items"]} > {"base"}
    for item in cost["items"]:
        assert money(item["amount"]) == Decimal(str(item["quantity"])) * money(item["unit_price"])


async def test_charged_is_within_the_estimate(done: Done) -> None:
    estimate, charged = done.created["cost_estimate"], money((await _cost(done))["charged"])
    assert money(estimate["min"]) <= charged <= money(estimate["max"])


async def test_the_balance_moved_by_what_was_charged(done: Done) -> None:
    charged = money((await _cost(done))["charged"])
    assert money(done.before["available"]) - money(done.after["available"]) == charged
    assert done.before["held"] == done.after["held"] == "0.00"


async def test_the_ledger_tells_the_same(done: Done) -> None:
    cost = await _cost(done)
    query = {"session_id": done.session_id}
    transactions = (await done.api.get("/billing/transactions", **query))["transactions"]
    amounts = {transaction["kind"]: transaction["amount"] for transaction in transactions}
    assert amounts == {"hold": cost["held"], "capture": cost["charged"], "release": cost["released"]}
    assert transactions[0]["available_after"] == done.after["available"]


async def test_metrics_are_those_of_the_work(done: Done) -> None:
    metrics = await done.api.get(f"{done.path}/metrics")
    performance, usage = metrics["performance_metrics"], metrics["resource_usage"]
    assert performance["attempts"] == 1
    assert usage["cpu_seconds"] > 0
    assert usage["peak_memory_mb"] > 10
    assert usage["bytes_stored"] > 0
    assert 0 < metrics["efficiency_score"] <= 1
    stages = [row["to"] for row in (await done.api.get(f"{done.path}/history"))["stage_transitions"]]
    assert set(performance["stage_seconds"]) == set(stages) - {"completed"}
    assert sum(performance["stage_seconds"].values()) <= usage["worker_seconds"] + 0.001


async def test_research_counts_what_it_read(sessions: Sessions) -> None:
    metrics = await sessions.research.api.get(f"{sessions.research.path}/metrics")
    items = {item["item"]: item["quantity"] for item in metrics["cost_breakdown"]["items"]}
    usage = metrics["resource_usage"]
    assert usage["documents_read"] == items["document_read"] >= 2
    assert usage["passages_read"] == items["passage_read"] >= 2


async def test_history_is_whole(done: Done) -> None:
    history = await done.api.get(f"{done.path}/history")
    timeline = history["timeline"]
    assert [row["seq"] for row in timeline] == list(range(1, len(timeline) + 1))
    moments = [parse_rfc3339(row["at"]) for row in timeline]
    assert moments == sorted(moments)
    assert [row["type"] for row in timeline if row["type"] in STEPS] == STEPS
    kinds = {row["kind"] for row in history["resource_allocations"]}
    assert kinds == {"hold", "reservation", "capture", "release", "worker", "lease"}
    by_seq = {row["seq"]: row for row in timeline}
    for view in ("stage_transitions", "resource_allocations", "decision_points"):
        assert history[view], view
        assert all(by_seq[row["seq"]]["at"] == row["at"] for row in history[view])


async def test_stages_follow_each_other(done: Done) -> None:
    moves = (await done.api.get(f"{done.path}/history"))["stage_transitions"]
    assert moves[0]["from"] == ""
    assert moves[-1]["to"] == "completed"
    assert [move["to"] for move in moves[:-1]] == [move["from"] for move in moves[1:]]


async def test_decisions_say_why(done: Done) -> None:
    decisions = (await done.api.get(f"{done.path}/history"))["decision_points"]
    assert all(point["decision"] and point["reason"] and point["stage"] for point in decisions)


async def test_research_says_what_it_left_out(sessions: Sessions) -> None:
    decisions = (await sessions.research.api.get(f"{sessions.research.path}/history"))["decision_points"]
    left_out = [excluded for point in decisions for excluded in point["excluded"]]
    assert left_out
    assert all("reason" in excluded for excluded in left_out), left_out[0]


async def test_money_held_and_released_in_the_history(done: Done) -> None:
    cost = await _cost(done)
    rows = (await done.api.get(f"{done.path}/history"))["resource_allocations"]
    amounts = {row["kind"]: row.get("amount") for row in rows}
    assert (amounts["hold"], amounts["capture"], amounts["release"]) == (
        cost["held"],
        cost["charged"],
        cost["released"],
    )
