"""What operators see of all owners' sessions, and the one thing that they can do."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import PrsmError, Unavailable
from kit.money import SCALE
from tests.integration.session.operating import apb, failed, listed, requeued
from tests.integration.session.stand import Stand, pb


async def test_only_operators_may(stand: Stand) -> None:
    session_id = await failed(stand)
    calls = (
        ("ListFailedSessions", apb.ListFailedSessionsRequest()),
        ("GetAttention", apb.GetAttentionRequest()),
        ("RequeueSession", apb.RequeueSessionRequest(session_id=session_id)),
    )
    peer = stand.identities.peer("worker", "session").metadata()
    for method, request in calls:
        for scopes in ((), ("read",), ("service",), ("read", "service"), ("administrator",)):
            with pytest.raises(PrsmError) as error:
                await stand.operate(method, request, scopes=scopes)
            assert error.value.name == "FORBIDDEN", scopes
        for metadata in (peer, ()):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await getattr(stand.admin, method)(request, metadata=metadata, timeout=60)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert await listed(stand) == [session_id]
    assert set(stand.books.holds) == {session_id}


async def test_failures_are_listed_newest_first_and_by_what_they_are(stand: Stand) -> None:
    first = await failed(stand)
    stand.clock.advance(seconds=60)
    second = await failed(stand, "bob", ours=False, code="unusable_input")
    third = await stand.create("eve", preferences=pb.Preferences(time_limit_minutes=1))
    claim = await stand.started()
    for _ in range(60):
        stand.clock.advance(seconds=1)
        await stand.beat(claim.lease)
    await stand.completed("eve")
    assert await listed(stand) == [third, second, first]
    assert await listed(stand, code="boom") == [first]
    assert await listed(stand, code="time_limit_exceeded") == [third]
    assert await listed(stand, ours=True) == [first]
    assert await listed(stand, ours=False) == [second]
    since = Timestamp(seconds=(stand.clock.now() // SCALE) - 90)
    assert await listed(stand, since=since) == [third, second]
    page = await stand.operate("ListFailedSessions", apb.ListFailedSessionsRequest(limit=2))
    assert (page.total_count, [s.session_id for s in page.sessions]) == (3, [third, second])
    assert await listed(stand, limit=2, cursor=page.next_cursor) == [first]
    (shown,) = (await stand.operate("ListFailedSessions", apb.ListFailedSessionsRequest(code="boom"))).sessions
    assert (shown.owner, shown.engine, shown.status, shown.stage) == ("ada", "research", "failed", "think")
    assert (shown.code, shown.message, shown.ours, shown.attempts) == ("boom", "It broke", True, 1)
    assert (shown.charged, shown.successor) == ("0.00", "")


async def test_what_needs_a_person(stand: Stand) -> None:
    quiet = await stand.operate("GetAttention", apb.GetAttentionRequest())
    assert [quiet.unsettled.count, quiet.creations.count, quiet.paused.count] == [0, 0, 0]
    assert (len(quiet.queues), len(quiet.failed)) == (0, 0)
    for _ in range(2):
        await failed(stand)
    await failed(stand, ours=False, code="unusable_input")
    paused = await stand.create()
    await stand.started()
    await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=paused))
    stand.clock.advance(seconds=8 * 86_400 - 3000)
    for _ in range(2):
        await failed(stand, code="late")
    await requeued(stand, await failed(stand, code="late"))
    unsettled = await stand.create("bob")
    stand.books.refuse = Unavailable()
    await stand.call("bob", "CancelSession", pb.CancelSessionRequest(session_id=unsettled))
    with pytest.raises(PrsmError):
        await stand.create("eve")
    stand.clock.advance(seconds=3000)
    found = await stand.operate("GetAttention", apb.GetAttentionRequest())
    assert (found.unsettled.count, list(found.unsettled.session_ids)) == (1, [unsettled])
    assert found.creations.count == 1
    assert (found.paused.count, list(found.paused.session_ids)) == (1, [paused])
    assert [(queue.engine, queue.queued, queue.in_hand) for queue in found.queues] == [("research", 1, 0)]
    assert {failure.code: failure.count for failure in found.failed} == {"late": 2}
