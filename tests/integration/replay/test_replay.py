"""Every event ever told, told again and again, in any order: nobody's database changes."""

from __future__ import annotations

import random
from pathlib import Path

from kit.bus.consumer import Received
from services.billing.audit import discrepancies
from tests.integration.replay.town import Listener, Town

ROOT = Path(__file__).resolve().parents[3]
SEEDS = range(5)
PLACES = ("services", "gateway", "worker", "cli")


def heard_by(listener: Listener, told: list[tuple[str, Received]]) -> list[Received]:
    return [event for subject, event in told if listener.hears(subject)]


def test_every_consumer_of_the_product_is_tried_here() -> None:
    files = [path for place in PLACES for path in (ROOT / place).rglob("*.py")]
    making = {str(path.relative_to(ROOT)) for path in files if " Consumer(" in path.read_text()}
    assert making == {f"services/{service}/consumers.py" for service in ("billing", "library", "session")}


async def test_what_was_applied_once_stays_as_it_is(town: Town) -> None:
    told = await town.told()
    before = await town.dump()
    for listener in town.listeners.values():
        await listener.hear(heard_by(listener, told))
    once = await town.dump()
    for service, table in (("billing", "transactions"), ("library", "session_documents"), ("session", "history")):
        assert len(once[service][table]) > len(before[service][table]), "the history has something for everybody"
    assert await town.databases["billing"].read(discrepancies) == []
    # What session makes of what collab says is not told on, so this is all that there is to tell.
    assert len(await town.told()) == len(told) + len(once["billing"]["outbox"]) - len(before["billing"]["outbox"])
    for seed in SEEDS:
        rng = random.Random(seed)
        for listener in town.listeners.values():
            events = heard_by(listener, told)
            again = [*events, *events, *rng.choices(events, k=len(events) // 2)]
            if seed:
                rng.shuffle(again)
            await listener.hear(again)
        assert await town.dump() == once, f"seed {seed}"


async def test_in_any_order_the_first_time_too(town: Town) -> None:
    told = await town.told()
    rng = random.Random(7)
    for listener in town.listeners.values():
        events = heard_by(listener, told)
        mixed = [*events, *rng.choices(events, k=len(events))]
        rng.shuffle(mixed)
        await listener.hear(mixed)
    mixed_once = await town.dump()
    assert await town.databases["billing"].read(discrepancies) == []
    for listener in town.listeners.values():
        await listener.hear(heard_by(listener, told))
    assert await town.dump() == mixed_once


async def test_once_versions_are_forgotten_the_same_events_still_change_no_money_and_no_use(town: Town) -> None:
    told = await town.told()
    for listener in town.listeners.values():
        await listener.hear(heard_by(listener, told))
    once = await town.dump()
    for service in ("billing", "library"):
        inbox = town.inboxes[service]
        # Both of them prune; session does not, as nothing else would tell that it has noted an event.
        town.session.clock.advance(seconds=40 * 86_400)
        assert await town.databases[service].write(lambda c, i=inbox: i.prune(c, 1, 10_000)) > 0  # type: ignore[misc]
        await town.listeners[service].hear(heard_by(town.listeners[service], told))
    again = await town.dump()
    for service in ("billing", "library"):
        for table, rows in once[service].items():
            if table != "inbox":
                assert again[service][table] == rows, (service, table)
