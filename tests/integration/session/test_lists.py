"""Lists: pages, cursors, filters, scopes, and totals that agree with what is there."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from kit.errors import PrsmError
from kit.levels import Level
from services.session.domain import Status
from services.session.tables import counters, sessions
from tests.integration.session.stand import Stand, pb


async def listed(stand: Stand, user: str = "ada", **query: Any) -> pb.ListSessionsResponse:
    found: pb.ListSessionsResponse = await stand.call(user, "ListSessions", pb.ListSessionsRequest(**query))
    return found


def ids(page: pb.ListSessionsResponse) -> list[str]:
    return [session.session_id for session in page.sessions]


async def many(stand: Stand, count: int, user: str = "ada") -> list[str]:
    """Newest first."""
    stand.books.balance = 10**12
    made = []
    for _ in range(count):
        stand.clock.advance(seconds=1)
        made.append(await stand.create(user))
    return made[::-1]


async def test_an_empty_list_has_every_status_and_type(stand: Stand) -> None:
    page = await listed(stand)
    assert (page.total_count, page.page, page.limit, ids(page)) == (0, 1, 20, [])
    assert set(page.summary.by_status) == {status.value for status in Status}
    assert dict(page.summary.by_type) == {"research": 0, "analysis": 0, "synthesis": 0}
    assert (page.summary.held, page.summary.charged, page.summary.currency) == ("0.00", "0.00", "FTNS")
    assert not page.HasField("next_cursor")


async def test_pages_by_number(stand: Stand) -> None:
    made = await many(stand, 5)
    await many(stand, 1, "bob")
    pages = [await listed(stand, page=number, limit=2) for number in (1, 2, 3, 4)]
    assert [ids(page) for page in pages] == [made[:2], made[2:4], made[4:], []]
    assert {page.total_count for page in pages} == {5}
    assert [page.HasField("next_cursor") for page in pages] == [True, True, False, False]
    assert pages[0].sessions[0].prompt
    assert not pages[0].sessions[0].HasField("inputs")


async def test_cursors_neither_skip_nor_repeat_while_the_list_grows(stand: Stand) -> None:
    made = await many(stand, 5)
    seen: list[str] = []
    cursor = ""
    while True:
        page = await listed(stand, limit=2, cursor=cursor)
        seen += ids(page)
        await many(stand, 1)
        if not page.HasField("next_cursor"):
            break
        cursor = page.next_cursor
    assert seen == made


async def test_filters_and_summary(stand: Stand) -> None:
    done = await stand.completed()
    stand.clock.advance(seconds=60)
    running = await stand.create()
    await stand.started()
    stand.clock.advance(seconds=60)
    queued = await stand.create()
    page = await listed(stand)
    assert ids(page) == [queued, running, done]
    status = dict(page.summary.by_status)
    assert (status["completed"], status["running"], status["queued"], status["failed"]) == (1, 1, 1, 0)
    assert (page.summary.held, page.summary.charged) == ("20.00", "1.12")
    only = await listed(stand, status="completed")
    assert (ids(only), only.total_count, only.summary.held, only.summary.charged) == ([done], 1, "0.00", "1.12")
    assert dict(only.summary.by_status)["queued"] == 0
    assert ids(await listed(stand, session_type="analysis")) == []
    assert ids(await listed(stand, session_type="research", status="queued")) == [queued]


async def test_dates_are_inclusive(stand: Stand) -> None:
    first, second = (await many(stand, 2))[::-1]
    at = [(await stand.get(id_)).created_at.ToJsonString() for id_ in (first, second)]
    assert ids(await listed(stand, date_from=at[1])) == [second]
    assert ids(await listed(stand, date_to=at[0])) == [first]
    both = await listed(stand, date_from=at[0], date_to=at[1])
    assert (ids(both), both.total_count, both.summary.held) == ([second, first], 2, "20.00")
    day = at[0][:10]
    assert ids(await listed(stand, date_from=day, date_to=day)) == [second, first]
    assert (await listed(stand, date_from="2100-01-01")).total_count == 0


async def test_scopes(stand: Stand) -> None:
    (own,) = await many(stand, 1)
    shared, hidden = await many(stand, 2, "bob")
    stand.shares.share(shared, "ada", Level.VIEW)
    stand.shares.share(own, "ada", Level.VIEW)
    assert ids(await listed(stand)) == [own]
    assert ids(await listed(stand, scope="owned")) == [own]
    page = await listed(stand, scope="shared")
    assert (ids(page), page.total_count, page.summary.held) == ([shared], 1, "10.00")
    page = await listed(stand, scope="all")
    assert (ids(page), page.total_count, page.summary.held) == ([shared, own], 2, "20.00")
    assert ids(await listed(stand, scope="all", limit=1, page=2)) == [own]
    assert hidden not in ids(page)
    assert ids(await listed(stand, "eve", scope="shared")) == []


async def test_shares_that_cannot_be_asked_for(stand: Stand) -> None:
    stand.shares.away = True
    assert (await listed(stand)).total_count == 0
    with pytest.raises(PrsmError) as error:
        await listed(stand, scope="all")
    assert error.value.name == "UNAVAILABLE"


async def test_kept_totals_are_the_counted_ones(stand: Stand) -> None:
    await stand.completed()
    for _ in range(3):
        await stand.create()
    claim = await stand.started()
    await stand.stage(claim.lease, "read", document_read=3)
    await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=claim.lease.session_id))
    claim = await stand.started()
    await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=claim.lease.session_id))
    s = sessions.c
    counted = select(s.owner, s.session_type, s.status, func.count(), func.sum(s.charged)).group_by(
        s.owner, s.session_type, s.status
    )
    c = counters.c
    kept = select(c.owner, c.session_type, c.status, c["count"], c.charged).where(c["count"] != 0)
    real = await stand.db.read(lambda db: sorted(tuple(row) for row in db.execute(counted)))
    assert [(*row[:4], int(row[4])) for row in real] == await stand.db.read(
        lambda db: sorted(tuple(row) for row in db.execute(kept))
    )
    held = await stand.db.read(lambda db: db.execute(select(c.status, c.held).where(c.held != 0)).all())
    assert sorted(map(tuple, held)) == [("paused", 10_000_000), ("queued", 10_000_000)]


async def test_a_list_is_read_by_an_index(stand: Stand) -> None:
    plan = "EXPLAIN QUERY PLAN " if stand.db.dialect == "sqlite" else "EXPLAIN "
    await many(stand, 3)
    query = "SELECT session_id FROM sessions WHERE owner = 'ada' ORDER BY created_at DESC, session_id DESC LIMIT 20"

    def explain(db: Any) -> str:
        if stand.db.dialect == "postgresql":
            db.exec_driver_sql("SET LOCAL enable_seqscan = off")
            db.exec_driver_sql("SET LOCAL enable_sort = off")
        return "\n".join(str(row) for row in db.exec_driver_sql(plan + query))

    assert "sessions_listed" in await stand.db.write(explain)


async def test_pages_of_own_and_shared_sessions_together(stand: Stand) -> None:
    """Every page of every length, by number and by cursor, is the part of the whole list that it should be."""
    order: list[str] = []
    for user in ("ada", "bob", "bob", "ada", "bob", "ada", "ada", "bob"):
        (made,) = await many(stand, 1, user)
        stand.shares.share(made, "ada", Level.VIEW)
        order.insert(0, made)
    for limit in (1, 2, 3, 5, 8, 20):
        pages = [await listed(stand, scope="all", limit=limit, page=number) for number in range(1, 10)]
        assert [ids(page) for page in pages] == [order[n * limit : (n + 1) * limit] for n in range(9)]
        seen, cursor = [], ""
        while True:
            page = await listed(stand, scope="all", limit=limit, cursor=cursor)
            seen += ids(page)
            if not page.HasField("next_cursor"):
                break
            cursor = page.next_cursor
        assert seen == order


async def test_filters_hold_for_shared_sessions_too(stand: Stand) -> None:
    (mine,) = await many(stand, 1)
    theirs = await many(stand, 2, "bob")
    for session_id in theirs:
        stand.shares.share(session_id, "ada", Level.VIEW)
    await stand.call("bob", "CancelSession", pb.CancelSessionRequest(session_id=theirs[0]))
    page = await listed(stand, scope="all", status="queued")
    assert (ids(page), page.total_count) == ([theirs[1], mine], 2)
    page = await listed(stand, scope="all", date_to="2000-01-01")
    assert (ids(page), page.total_count) == ([], 0)
    page = await listed(stand, scope="all", session_type="research", date_from="2000-01-01")
    assert (page.total_count, dict(page.summary.by_status)["cancelled"]) == (3, 1)
