"""Budgets: what may be spent is never exceeded, and what happens at the limit is what was asked for."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from tests.contract.world import World
from tests.support.rest import PATIENCE, TERMINAL

_LIMIT = "1.50"
_ALMOST = 24
"""Documents whose price comes to more than the limit less what is set aside for writing up."""
_TOO_MANY = 40
"""Documents whose price is above the limit."""


async def test_a_session_that_may_finish_writes_up(world: World) -> None:
    api = await world.user_with_a_document()
    session_id = await world.running(api, budget={"limit": _LIMIT, "on_limit": "finish"})
    assert (await world.signals.look(session_id))["write_up"] is False
    await world.signals.use(session_id, "document_read", _ALMOST)
    async with asyncio.timeout(PATIENCE):
        await api.until(session_id, lambda event: event.type == "session.writing_up")
        while not (await world.signals.look(session_id))["write_up"]:
            continue  # The worker is told with its next heartbeat.
    await world.signals.complete(session_id)
    session = await api.until_status(session_id, "completed")
    assert session["results"]["partial"] is True
    cost = (await api.get(f"/sessions/{session_id}/metrics"))["cost_breakdown"]
    assert Decimal("1.40") <= Decimal(cost["charged"]) <= Decimal(_LIMIT) == Decimal(cost["held"])


async def test_a_session_that_rather_fails_has_failed(world: World) -> None:
    api = await world.user_with_a_document()
    session_id = await world.running(api, budget={"limit": _LIMIT, "on_limit": "fail"})
    await world.signals.use(session_id, "document_read", _TOO_MANY)
    ended = await api.until(session_id, lambda event: event.data["status"] in TERMINAL)
    assert ended.data["status"] == "failed"
    assert (await api.session(session_id))["error_details"]["code"] == "budget_exceeded"
    cost = (await api.get(f"/sessions/{session_id}/metrics"))["cost_breakdown"]
    assert Decimal(cost["charged"]) <= Decimal(_LIMIT) == Decimal(cost["held"])
    balance = await api.settled_balance(session_id)
    assert Decimal(balance["available"]) == Decimal("1000.00") - Decimal(cost["charged"])
