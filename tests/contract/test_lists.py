"""Lists: pages, cursors, filters, order and summaries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kit.times import parse_rfc3339
from tests.contract.world import World
from tests.support.rest import Api
from tests.support.stack import PARKED


async def _three(world: World) -> tuple[Api, list[str]]:
    """A user with three sessions; newest first."""

    async def make() -> tuple[Api, list[str]]:
        api = await world.user_with_a_document()
        ids = [await world.parked(api, prompt=f"Question {n}") for n in range(3)]
        return api, ids[::-1]

    return await world.keep("three", make)


def _ids(answer: Any) -> list[str]:
    return [session["session_id"] for session in answer["sessions"]]


async def test_newest_first(world: World) -> None:
    api, ids = await _three(world)
    answer = await api.get("/sessions")
    assert _ids(answer) == ids
    assert (answer["page"], answer["limit"], answer["total_count"]) == (1, 20, 3)
    moments = [parse_rfc3339(session["created_at"]) for session in answer["sessions"]]
    assert moments == sorted(moments, reverse=True)


async def test_pages_cover_the_list_once(world: World) -> None:
    api, ids = await _three(world)
    pages = [await api.get("/sessions", page=str(number), limit="2") for number in (1, 2, 3)]
    assert [_ids(page) for page in pages] == [ids[:2], ids[2:], []]
    assert [page["total_count"] for page in pages] == [3, 3, 3]
    assert [page["page"] for page in pages] == [1, 2, 3]
    assert ["next_cursor" in page for page in pages] == [True, False, False]


async def test_cursors_neither_skip_nor_repeat_while_the_list_grows(world: World) -> None:
    api = await world.user_with_a_document()
    ids = [await world.parked(api) for _ in range(4)][::-1]
    first = await api.get("/sessions", limit="2")
    newer = await world.parked(api)
    second = await api.get("/sessions", limit="2", cursor=first["next_cursor"])
    assert _ids(first) + _ids(second) == ids
    assert newer not in _ids(second)
    assert second["total_count"] == 5
    if "next_cursor" in second:
        last = await api.get("/sessions", limit="2", cursor=second["next_cursor"])
        assert (last["sessions"], "next_cursor" in last) == ([], False)


async def test_filter_by_type(world: World) -> None:
    api = await world.user_with_a_document()
    inputs = {"datasets": [{"name": "Points", "csv": "x,y\n1,2\n2,4\n3,7\n"}]}
    analysis = await world.parked(api, session_type="analysis", inputs=inputs)
    research = await world.parked(api)
    assert _ids(await api.get("/sessions", session_type="analysis")) == [analysis]
    assert _ids(await api.get("/sessions", session_type="research")) == [research]
    assert _ids(await api.get("/sessions", session_type="synthesis")) == []


async def test_filter_by_date(world: World) -> None:
    api, ids = await _three(world)
    sessions = (await api.get("/sessions"))["sessions"]
    newest, oldest = sessions[0]["created_at"], sessions[-1]["created_at"]
    day = newest[:10]
    assert _ids(await api.get("/sessions", date_from=day, date_to=day)) == ids
    assert _ids(await api.get("/sessions", date_from=oldest, date_to=newest)) == ids, "both ends are inclusive"
    assert _ids(await api.get("/sessions", date_from=newest))[0] == ids[0]
    assert _ids(await api.get("/sessions", date_to="2020-01-01")) == []
    assert _ids(await api.get("/sessions", date_from="2100-01-01T00:00:00Z")) == []


async def test_summary_is_over_the_whole_filtered_set(world: World) -> None:
    api = await world.user_with_a_document()
    kept, gone = await world.parked(api), await world.parked(api)
    await api.post(f"/sessions/{gone}/cancel")
    held = (await api.get("/billing/balance"))["held"]
    summary = (await api.get("/sessions", limit="1"))["summary"]
    assert summary["by_status"] == {status: int(status in ("queued", "cancelled")) for status in summary["by_status"]}
    assert len(summary["by_status"]) == 8
    assert summary["by_type"] == {"research": 2, "analysis": 0, "synthesis": 0}
    assert (summary["held"], summary["charged"]) == (held, "0.00")
    narrowed = await api.get("/sessions", status="queued")
    assert _ids(narrowed) == [kept]
    assert narrowed["summary"]["by_type"]["research"] == 1


async def test_scope(world: World) -> None:
    api = await world.user_with_a_document()
    own = await world.parked(api)
    other = await world.user_with_a_document()
    foreign, private = await world.parked(other), await world.parked(other)
    await other.share(foreign, f"user:{api.user}")
    assert _ids(await api.get("/sessions")) == [own]
    assert _ids(await api.get("/sessions", scope="owned")) == [own]
    assert _ids(await api.get("/sessions", scope="shared")) == [foreign]
    assert set(_ids(await api.get("/sessions", scope="all"))) == {own, foreign}
    assert private not in _ids(await api.get("/sessions", scope="all"))


async def test_nobody_sees_the_sessions_of_others(world: World) -> None:
    await _three(world)
    answer = await world.people.new().get("/sessions")
    assert (answer["sessions"], answer["total_count"]) == ([], 0)
    assert answer["summary"]["held"] == "0.00"


@pytest.mark.parametrize("path", ["/documents", "/billing/transactions"])
async def test_other_lists_page_by_cursor(world: World, path: str) -> None:
    api = world.people.new()
    await asyncio.gather(*(api.add_document(f"Note {n}", f"The sea, note {n}.") for n in range(3)))
    for _ in range(2):
        await api.create(preferences={"engine": PARKED})
    key = "documents" if path == "/documents" else "transactions"
    whole = await api.get(path)
    assert whole["total_count"] == len(whole[key]) >= 3
    seen = []
    query = {"limit": "1"}
    for _ in range(whole["total_count"]):
        page = await api.get(path, **query)
        seen += page[key]
        if "next_cursor" in page:
            query = {"limit": "1", "cursor": page["next_cursor"]}
    assert seen == whole[key]
