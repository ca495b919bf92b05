"""Sessions with a language model through the whole product: what is written, what it costs, and what stops it."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.conftest import MODEL_KEY as KEY
from tests.e2e.conftest import Furnished
from tests.e2e.lab import Done, conduct, money
from tests.support.model_server import ModelServer, Reply, prose
from tests.support.rest import Api

PROMPT = "How does the ocean take up carbon dioxide?"
TEXT = (
    "The ocean takes up carbon dioxide by gas exchange at its surface. "
    "Cold water of high latitudes sinks and carries the carbon dioxide that the ocean takes up to depth. "
    "Wind speeds up the exchange of carbon dioxide between ocean and air."
)
PREFERENCES = {"depth": "quick", "seed": 3, "connectors": ["none"]}


@pytest.fixture
def server(furnished: Furnished) -> ModelServer:
    return furnished.model


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ada(furnished: Furnished) -> Api:
    """A user of a stack whose worker has a language model."""
    ada = furnished.people.new()
    await ada.add_document("Ocean", TEXT)
    return ada


async def bill(done: Done) -> dict[str, Any]:
    """Its items by name, which add up to what is charged."""
    cost = (await done.api.get(f"{done.path}/metrics"))["cost_breakdown"]
    assert sum(money(item["amount"]) for item in cost["items"]) == money(cost["charged"]) <= money(cost["held"])
    return {item["item"]: item for item in cost["items"]}


async def decisions(done: Done, name: str) -> list[dict[str, Any]]:
    history = await done.api.get(f"{done.path}/history")
    return [entry for entry in history["decision_points"] if entry["decision"] == name]


async def test_prose_is_written_and_its_tokens_are_on_the_bill(ada: Api, server: ModelServer) -> None:
    server.answer = prose
    done = await conduct(ada, PROMPT, preferences=PREFERENCES)
    assert server.headers[-1]["Authorization"] == f"Bearer {KEY}"
    result = (await done.results())["results"]
    assert result["methods"]["model"]["name"] == "writer-1"
    assert result["summary_sentences"]
    items = await bill(done)
    assert (items["tokens_in"]["quantity"], items["tokens_in"]["unit"]) == (1.5, "1000 tokens")
    assert items["tokens_out"]["quantity"] == 0.4
    for item in items.values():
        assert money(item["amount"]) == Decimal(str(item["quantity"])) * money(item["unit_price"])
    usage = (await ada.session(done.session_id))["resource_usage"]
    assert (usage["tokens_in"], usage["tokens_out"]) == (1500, 400)
    estimate = done.created["cost_estimate"]
    assert {"tokens_in", "tokens_out"} <= {item["item"] for item in estimate["items"]}
    assert sum(money(item["amount"]) for item in items.values()) <= money(estimate["max"])
    assert await decisions(done, "prose")


async def test_without_it_nothing_is_asked_and_nothing_is_priced(ada: Api, server: ModelServer) -> None:
    asked = len(server.requests)
    done = await conduct(ada, PROMPT, preferences={**PREFERENCES, "model": "none"})
    assert len(server.requests) == asked
    assert not {"tokens_in", "tokens_out"} & (await bill(done)).keys()
    assert not {"tokens_in", "tokens_out"} & {item["item"] for item in done.created["cost_estimate"]["items"]}
    assert "model" not in (await done.results())["results"]["methods"]


async def test_a_budget_too_small_makes_no_call(ada: Api, server: ModelServer) -> None:
    asked = len(server.requests)
    estimate = await ada.post("/sessions/estimate", {"prompt": PROMPT, "preferences": PREFERENCES})
    least = estimate["cost_estimate"]["min"]
    done = await conduct(ada, PROMPT, preferences=PREFERENCES, budget={"limit": least})
    assert len(server.requests) == asked
    assert "tokens_in" not in await bill(done)
    (decision,) = await decisions(done, "no prose")
    assert "budget" in decision["reason"]


async def test_a_wrong_key_leaves_the_extractive_text(ada: Api, server: ModelServer) -> None:
    plain = await conduct(ada, PROMPT, preferences={**PREFERENCES, "model": "none"})
    server.answer = lambda _request: Reply(status=401, raw=json.dumps({"error": {"message": f"bad {KEY}"}}).encode())
    done = await conduct(ada, PROMPT, preferences=PREFERENCES)
    results = await done.results()
    assert results["results"] == (await plain.results())["results"]
    (decision,) = await decisions(done, "no prose")
    assert "credentials" in decision["reason"]
    assert KEY not in json.dumps([results, decision])
    assert "tokens_in" not in await bill(done)


async def test_a_pause_and_a_cancel_end_the_call(ada: Api, server: ModelServer) -> None:
    for verb, status in (("pause", "paused"), ("cancel", "cancelled")):
        server.answer = lambda request: Reply(prose(request).text, hold=asyncio.Event())
        server.holding.clear()
        server.gone.clear()
        session_id = await ada.create(PROMPT, preferences=PREFERENCES)
        async with asyncio.timeout(60):
            await server.holding.wait()
        assert (await ada.post(f"/sessions/{session_id}/{verb}"))["status"] == status
        async with asyncio.timeout(60):
            await server.gone.wait()
        if verb == "pause":
            server.answer = prose
            await ada.post(f"/sessions/{session_id}/resume")
            session = await ada.until_status(session_id, "completed")
            # The call that was broken off is not paid twice: the stage began afresh.
            assert session["resource_usage"]["tokens_in"] == 1500
