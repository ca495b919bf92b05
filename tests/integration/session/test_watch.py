"""Event streams: from the durable history, without gap or repeat, as long as the caller may watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from kit.db.database import Database
from kit.errors import PrsmError
from kit.levels import Level
from kit.rpc.client import named
from tests.integration.session.stand import STAGES, Stand, pb


class Frames:
    """Server-Sent Events as they come."""

    def __init__(self, call: Any) -> None:
        self._messages = call.__aiter__()
        self.first: Any = None

    async def __anext__(self) -> tuple[str, str, Any]:
        """The next event as (id, event, data); comments are passed over."""
        while True:
            message = await self._messages.__anext__()
            self.first = self.first or message
            fields = dict(line.split(": ", 1) for line in message.data.decode().strip().split("\n"))
            if "event" in fields:
                return fields.get("id", ""), fields["event"], orjson.loads(fields["data"])

    def __aiter__(self) -> Frames:
        return self


@asynccontextmanager
async def stream(
    stand: Stand, session_id: str, user: str = "ada", *extra: tuple[str, str], **fields: int
) -> AsyncIterator[Frames]:
    request = pb.StreamEventsRequest(session_id=session_id, **fields)
    metadata = (*stand.identities.user_metadata(user), *extra)
    call = stand.sessions.StreamEvents(request, metadata=metadata, timeout=60)
    yield Frames(call)
    call.cancel()


async def refused(stand: Stand, session_id: str, user: str = "ada", *extra: tuple[str, str]) -> PrsmError:
    async with stream(stand, session_id, user, *extra) as frames:
        try:
            await frames.__anext__()
        except Exception as error:
            found = named(error, "test")  # type: ignore[arg-type]
            assert isinstance(found, PrsmError)
            return found
    raise AssertionError("the stream began")


async def test_a_whole_history_and_then_the_end(stand: Stand) -> None:
    session_id = await stand.completed()
    timeline = (await stand.history(session_id))["timeline"]
    async with stream(stand, session_id) as frames:
        seen = [frame async for frame in frames]
        assert frames.first.content_type == "text/event-stream"
    assert [int(id_) for id_, _, _ in seen] == list(range(1, len(timeline) + 1))
    assert [event for _, event, _ in seen] == [event["type"] for event in timeline]
    assert seen[0][2]["seq"] == 1
    assert seen[0][2]["status"] == "queued"
    assert seen[-1][2]["status"] == "completed"


async def test_resuming_without_gap_or_repeat(stand: Stand) -> None:
    session_id = await stand.completed()
    total = len((await stand.history(session_id))["timeline"])
    for extra, fields in ((("last-event-id", "5"),), {}), ((), {"last_event_id": 5}):
        async with stream(stand, session_id, "ada", *extra, **fields) as frames:
            assert [int(id_) async for id_, _, _ in frames] == list(range(6, total + 1))
    async with stream(stand, session_id, "ada", ("last-event-id", str(total))) as frames:
        assert [frame async for frame in frames] == []
        assert frames.first is not None


@pytest.mark.parametrize("last", ["abc", "-1", "9" * 11])
async def test_an_id_that_is_none(stand: Stand, last: str) -> None:
    session_id = await stand.create()
    assert (await refused(stand, session_id, "ada", ("last-event-id", last))).name == "VALIDATION_ERROR"


async def test_the_first_frame_comes_at_once(stand: Stand) -> None:
    session_id = await stand.create()
    history = await stand.history(session_id)
    request = pb.StreamEventsRequest(session_id=session_id, last_event_id=len(history["timeline"]))
    call = stand.sessions.StreamEvents(request, metadata=stand.identities.user_metadata("ada"), timeout=60)
    message = await call.__aiter__().__anext__()
    assert (message.content_type, message.data[:1]) == ("text/event-stream", b":")
    call.cancel()


async def test_what_happens_while_watching(stand: Stand) -> None:
    session_id = await stand.create()
    async with stream(stand, session_id, last_event_id=3) as frames:
        claim = await stand.started()
        for type_ in ("worker.assigned", "lease.granted", "session.initializing", "session.running"):
            assert (await frames.__anext__())[1] == type_
        await stand.begin(claim.lease, "read")
        assert [(await frames.__anext__())[1] for _ in range(2)] == ["stage.started", "resource.reserved"]
        await stand.beat(claim.lease, "read", 0.5)
        assert await frames.__anext__() == (
            "",
            "progress",
            {"status": "running", "progress": 16, "current_stage": "read"},
        )
        await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
        rest = [event async for _, event, _ in frames]
    assert rest[-1] == "session.cancelled"


async def test_changes_of_another_replica_are_found(stand: Stand, tmp_path: Path, db: Database) -> None:
    (tmp_path / "other").mkdir()
    other = Stand(db, tmp_path / "other")
    session_id = await stand.create()
    request = pb.StreamEventsRequest(session_id=session_id, last_event_id=3)
    call = stand.sessions.StreamEvents(request, metadata=stand.identities.user_metadata("ada"), timeout=60)
    messages = call.__aiter__()
    await messages.__anext__()
    await other.start()
    assert await other.claim() is not None
    await stand.app.hub.look()
    assert b"event: worker.assigned" in (await messages.__anext__()).data
    call.cancel()
    await other.stop()


async def test_a_typed_twin(stand: Stand) -> None:
    session_id = await stand.completed()
    timeline = (await stand.history(session_id))["timeline"]
    request = pb.WatchSessionRequest(session_id=session_id, after_seq=2)
    call = stand.sessions.WatchSession(request, metadata=stand.identities.user_metadata("ada"), timeout=60)
    seen = [message async for message in call]
    assert [message.seq for message in seen] == list(range(3, len(timeline) + 1))
    assert (seen[-1].type, pb.Session.Status.Name(seen[-1].status)) == ("session.completed", "completed")
    assert {message.current_stage for message in seen} >= set(STAGES)


async def test_who_may_not_watch_is_told_before_the_stream(stand: Stand) -> None:
    session_id = await stand.create()
    assert (await refused(stand, session_id, "eve")).name == "SESSION_NOT_FOUND"
    stand.shares.revoke(session_id, "bob")
    assert (await refused(stand, session_id, "bob")).name == "SESSION_NOT_ACCESSIBLE"


@pytest.mark.parametrize("standing", ["revoked", "stranger"])
async def test_a_revocation_ends_an_open_stream(stand: Stand, standing: str) -> None:
    session_id = await stand.create()
    stand.shares.share(session_id, "bob", Level.VIEW)
    async with stream(stand, session_id, "bob") as frames, stream(stand, session_id) as own:
        for _ in range(3):
            await frames.__anext__()
            await own.__anext__()
        await stand.app.hub.check_access()
        if standing == "revoked":
            stand.shares.revoke(session_id, "bob")
        else:
            stand.shares.grants.clear()
        await stand.app.hub.check_access()
        ((_, event, data),) = [frame async for frame in frames]
        name = "session_not_accessible" if standing == "revoked" else "session_not_found"
        assert (event, data["error"]) == ("error", name)
        await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
        assert [event async for _, event, _ in own][-1] == "session.cancelled"


async def test_a_token_that_ends_ends_its_streams(stand: Stand) -> None:
    session_id = await stand.create()
    async with stream(stand, session_id) as frames:
        for _ in range(3):
            await frames.__anext__()
        stand.clock.advance(seconds=3600 + 31)
        await stand.app.hub.check_access()
        ((_, event, data),) = [frame async for frame in frames]
        assert (event, data["error"], data["code"]) == ("error", "unauthorized", 401)


async def test_a_stream_costs_no_signature_check_after_its_first(stand: Stand) -> None:
    session_id = await stand.create()
    async with stream(stand, session_id) as frames:
        await frames.__anext__()
        await stand.app.hub.check_access()
        remembered = stand.runtime.users._known
        remembered.clear()  # as it is when more streams are open than tokens are remembered
        await stand.app.hub.check_access()
        assert not remembered


async def test_a_stopping_service_ends_its_streams(stand: Stand) -> None:
    session_id = await stand.create()
    request = pb.WatchSessionRequest(session_id=session_id)
    call = stand.sessions.WatchSession(request, metadata=stand.identities.user_metadata("ada"), timeout=60)
    messages = call.__aiter__()
    for _ in range(3):
        await messages.__anext__()
    stand.app.hub.stop()
    with pytest.raises(Exception) as error:  # noqa: PT011  # a gRPC error, named below
        await messages.__anext__()
    found = named(error.value, "test")  # type: ignore[arg-type]
    assert isinstance(found, PrsmError)
    assert found.name == "UNAVAILABLE"


async def test_nothing_is_kept_for_streams_that_ended(stand: Stand) -> None:
    session_id = await stand.create()
    async with stream(stand, session_id) as frames:
        await frames.__anext__()
        assert len(stand.app.hub) == 1
    await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
    async with asyncio.timeout(60):
        while len(stand.app.hub):
            await stand.get(session_id)
    assert len(stand.app.hub) == 0
