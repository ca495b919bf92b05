"""Event streams over long histories, many readers, many writers and slow readers: nothing lost, little held."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete

from kit.db.database import Database
from kit.errors import PrsmError
from kit.levels import Level
from kit.rpc.channels import open_channel
from kit.rpc.client import named
from prsm.session.v1 import session_pb2_grpc
from services.session.domain import Entry, HistoryRow
from services.session.repository.history import HistoryRepository
from services.session.tables import KIT
from services.session.usecases.record_collab_event import CollabEvent
from services.session.watchers import Watch
from tests.integration.session.stand import Stand, pb

KEEP_ALIVE = 60


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """After which event the history was read, once for each time it was."""
    seen: list[int] = []
    after = HistoryRepository.after

    def counted(self: HistoryRepository, db: Connection, session_id: str, seq: int, most: int) -> list[HistoryRow]:
        seen.append(seq)
        return after(self, db, session_id, seq, most)

    monkeypatch.setattr(HistoryRepository, "after", counted)
    return seen


def opened(stand: Stand, session_id: str, after: int = 0, user: str = "ada") -> Any:
    """A stream of StreamEvents."""
    request = pb.StreamEventsRequest(session_id=session_id, last_event_id=after)
    return stand.sessions.StreamEvents(request, metadata=stand.identities.user_metadata(user), timeout=60)


async def watched(stand: Stand, session_id: str, after: int = 0) -> Any:
    """A stream of WatchSession."""
    request = pb.WatchSessionRequest(session_id=session_id, after_seq=after)
    return stand.sessions.WatchSession(request, metadata=stand.identities.user_metadata("ada"), timeout=60)


async def numbers(call: Any, until: int) -> list[int]:
    """The ids of a WatchSession stream up to one of them."""
    found: list[int] = []
    async for message in call:
        if message.seq:
            found.append(message.seq)
        if message.seq >= until:
            call.cancel()
            break
    return found


async def comment(stand: Stand, session_id: str, number: int, size: int = 10) -> None:
    """One event more in the history."""
    entry = Entry("comment.added", "bob", {"comment_id": f"c{number}", "content": "x" * size})
    await stand.app.record_collab(CollabEvent(session_id, f"c{number}", 1, entry))


async def until(held: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not held():  # noqa: ASYNC110  # what is waited for has no event of its own
            await asyncio.sleep(0)


def alive(kind: type) -> int:
    gc.collect()
    return sum(type(each) is kind for each in gc.get_objects())


async def test_each_id_in_turn_resumes_with_the_rest(stand: Stand) -> None:
    session_id = await stand.completed()
    timeline = (await stand.history(session_id))["timeline"]
    stand.clock.advance(seconds=400 * 86400)
    # Events are published and forgotten; the history is not.
    await stand.db.write(lambda db: db.execute(delete(KIT.outbox)))
    for after in range(len(timeline) + 1):
        seen = [(message.seq, message.type) async for message in await watched(stand, session_id, after)]
        assert seen == [(event["seq"], event["type"]) for event in timeline[after:]]
    beyond = await watched(stand, session_id, len(timeline) + 5)
    assert [message async for message in beyond] == []


async def test_an_id_beyond_the_end_brings_nothing_until_then(stand: Stand) -> None:
    session_id = await stand.create()
    last = len((await stand.history(session_id))["timeline"])
    call = await watched(stand, session_id, last + 2)
    reading = asyncio.create_task(numbers(call, last + 4))
    await until(lambda: len(stand.app.hub) == 1)
    for number in range(4):
        await comment(stand, session_id, number)
    assert await reading == [last + 3, last + 4]


@pytest.mark.parametrize("last", ["abc", "-1", "1.5", "0x1", "%D9%A1", "9" * 11])
async def test_an_id_that_is_none_names_the_header(stand: Stand, last: str) -> None:
    session_id = await stand.create()
    request = pb.StreamEventsRequest(session_id=session_id)
    metadata = (*stand.identities.user_metadata("ada"), ("last-event-id", last))
    call = stand.sessions.StreamEvents(request, metadata=metadata, timeout=60)
    with pytest.raises(Exception) as error:  # noqa: PT011  # a gRPC error, named below
        await call.__aiter__().__anext__()
    found = named(error.value, "test")  # type: ignore[arg-type]
    assert isinstance(found, PrsmError)
    assert found.name == "VALIDATION_ERROR"
    assert found.details is not None
    assert [fault["field"] for fault in found.details["fields"]] == ["Last-Event-ID"]


async def test_many_readers_and_writers_of_two_replicas(stand: Stand, tmp_path: Path, db: Database) -> None:
    (tmp_path / "other").mkdir()
    other = Stand(db, tmp_path / "other")
    session_id = await stand.create()
    first = len((await stand.history(session_id))["timeline"])
    last = first + 40
    readers = [
        asyncio.create_task(numbers(await watched(stand, session_id, after), last)) for after in range(first + 1)
    ]
    await until(lambda: len(stand.app.hub) == len(readers))
    looking = asyncio.create_task(_look_for_ever(stand))
    async with asyncio.TaskGroup() as writers:
        for number in range(40):
            writers.create_task(comment(stand if number % 2 else other, session_id, number))
    seen = await asyncio.gather(*readers)
    looking.cancel()
    assert seen == [list(range(after + 1, last + 1)) for after in range(first + 1)]


async def _look_for_ever(stand: Stand) -> None:
    while True:
        await stand.app.hub.look()


async def test_streams_at_the_same_event_share_what_is_read(stand: Stand, readings: list[int]) -> None:
    session_id = await stand.create()
    last = len((await stand.history(session_id))["timeline"])
    readings.clear()
    readers = [asyncio.create_task(numbers(await watched(stand, session_id), last + 1)) for _ in range(30)]
    await until(lambda: readings.count(0) == 30)
    readings.clear()
    await comment(stand, session_id, 1)
    assert await asyncio.gather(*readers) == [list(range(1, last + 2))] * 30
    assert readings.count(last) == 1
    assert set(readings) == {last}


async def resting(stand: Stand, streams: int) -> None:
    """So many streams are open, and all of them wait."""
    hub = stand.app.hub
    await until(lambda: len(hub) == streams and all(watch._waiter is not None for watch in hub._silent))


async def test_a_keep_alive_reads_nothing(stand: Stand, readings: list[int]) -> None:
    session_id = await stand.create()
    call = opened(stand, session_id, after=3)
    messages = call.__aiter__()
    for _ in range(3):
        assert (await messages.__anext__()).data.startswith(b": keep-alive")
        await resting(stand, 1)
        assert readings == [3]
        now = asyncio.get_running_loop().time()
        stand.app.hub.breathe(now)
        assert all(watch._waiter is not None for watch in stand.app.hub._silent)
        stand.app.hub.breathe(now + KEEP_ALIVE)
    assert (await messages.__anext__()).data.startswith(b": keep-alive")
    call.cancel()


async def test_keep_alives_are_spread(stand: Stand) -> None:
    session_id = await stand.create()
    calls = [opened(stand, session_id, after=3) for _ in range(100)]
    streams = [call.__aiter__() for call in calls]
    for messages in streams:
        await messages.__anext__()
    await resting(stand, 100)
    hub, now = stand.app.hub, asyncio.get_running_loop().time() + KEEP_ALIVE
    came: list[int] = []
    tasks = [asyncio.create_task(_then(messages, came)) for messages in streams]
    hub.breathe(now)
    await until(lambda: len(came) >= 1)
    await resting(stand, 100)
    assert len(came) < 10
    for _ in range(150):
        hub.breathe(now)
    await asyncio.gather(*tasks)
    assert len(came) == 100
    for call in calls:
        call.cancel()


async def _then(messages: Any, came: list[int]) -> None:
    await messages.__anext__()
    came.append(1)


async def test_a_waiting_stream_holds_no_rows(stand: Stand, readings: list[int]) -> None:
    session_id = await stand.create()
    for number in range(70):
        await comment(stand, session_id, number)
    last = len((await stand.history(session_id))["timeline"])
    readings.clear()
    call = await watched(stand, session_id)
    messages = call.__aiter__()
    seen = [(await messages.__anext__()).seq for _ in range(last)]
    assert seen == list(range(1, last + 1))
    await resting(stand, 1)
    assert readings == [0, 50]
    # One may still be on its way out; the rest of the page is not kept.
    assert alive(HistoryRow) <= 1
    call.cancel()


async def test_a_reader_that_does_not_read_holds_little(stand: Stand, readings: list[int]) -> None:
    session_id = await stand.create()
    for first in range(0, 400, 50):
        await asyncio.gather(*(comment(stand, session_id, first + each, 4000) for each in range(50)))
    last = len((await stand.history(session_id))["timeline"])
    readings.clear()
    # As the gateway has it: a fast stream beside it on the same connection widens nothing.
    async with open_channel(f"127.0.0.1:{stand.port}", lasting=True) as channel:
        stub = session_pb2_grpc.SessionServiceStub(channel)
        request = pb.WatchSessionRequest(session_id=session_id)
        stuck, fast = [
            stub.WatchSession(request, metadata=stand.identities.user_metadata("ada"), timeout=60) for _ in range(2)
        ]
        messages = stuck.__aiter__()
        assert (await messages.__anext__()).seq == 1
        assert await numbers(fast, last) == list(range(1, last + 1))
        taken = max(seq for seq in readings if readings.count(seq) == 2)
        assert taken <= 100
        assert alive(HistoryRow) <= 60
        rest = [(await messages.__anext__()).seq for _ in range(last - 1)]
        assert rest == list(range(2, last + 1))
        stuck.cancel()


async def test_a_reader_that_left_is_forgotten(stand: Stand) -> None:
    session_id = await stand.create()
    stand.shares.share(session_id, "bob", Level.VIEW)
    calls = [opened(stand, session_id, user=user) for user in ("ada", "bob") for _ in range(5)]
    for call in calls:
        await call.__aiter__().__anext__()
    hub = stand.app.hub
    assert (len(hub), alive(Watch)) == (10, 10)
    for call in calls:
        call.cancel()
    await until(lambda: not len(hub))
    assert (hub._watched, hub._guests) == ({}, {})
    await until(lambda: alive(Watch) == 0)
