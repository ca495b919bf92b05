"""Watching: the stream tells everything once and in order, progress only rises, and a reader can come back."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from tests.e2e import lab
from tests.e2e.lab import Done
from tests.support.rest import Api


async def test_the_stream_is_the_history(done: Done) -> None:
    numbered = [event for event in done.events if event.id is not None]
    assert [event.id for event in numbered] == list(range(1, len(numbered) + 1))
    timeline = (await done.api.get(f"{done.path}/history"))["timeline"]
    told = [(event.data["seq"], event.data["type"], event.data["at"], event.data["actor"]) for event in numbered]
    assert told == [(row["seq"], row["type"], row["at"], row["actor"]) for row in timeline[: len(told)]]
    assert all(event.type == event.data["type"] for event in numbered)


async def test_progress_only_rises(done: Done) -> None:
    progress = [event.data["progress"] for event in done.events]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0, 100)
    assert {event.data["progress"] == 100 for event in done.events if event.data["status"] != "completed"} == {False}
    assert len(set(progress)) >= 4, f"it rises by the work that is done: {progress}"


async def test_statuses_come_in_order(done: Done) -> None:
    statuses = [event.data["status"] for event in done.events]
    assert list(dict.fromkeys(statuses)) == ["queued", "initializing", "running", "completed"]


@pytest.mark.parametrize("back", [0, 1, 5])
async def test_a_reader_who_comes_back_misses_nothing(done: Done, back: int) -> None:
    ids = [event.id for event in done.events if event.id is not None]
    after = ids[-1 - back]
    again = [event.id async for event in done.api.events(done.session_id, after=after)]
    assert [number for number in again if number is not None][:back] == ids[len(ids) - back :]
    assert after not in again


async def test_a_reader_may_leave_and_return_while_it_runs(ada: Api) -> None:
    body = {"prompt": lab.OCEAN, "preferences": {"depth": "quick"}}
    session_id = (await ada.post("/sessions", body, status=201))["session_id"]
    seen: list[int] = []
    completed = False
    while not completed:
        async with aclosing(ada.events(session_id, after=seen[-1] if seen else None)) as events:
            async for event in events:
                if event.id is not None:
                    seen.append(event.id)
                completed = event.type == "session.completed"
                if event.id is not None and event.id % 3 == 0:
                    break
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) > 6
    await ada.settled_balance(session_id)  # The sessions after this one look at what moves the balance.
