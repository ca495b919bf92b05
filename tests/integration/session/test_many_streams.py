"""Three hundred readers through a real gateway: each gets everything once, they cost little and leave nothing."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app import Gateway, start
from gateway.settings import GatewaySettings
from kit.db.database import Database
from services.session.domain import Entry
from services.session.usecases.record_collab_event import CollabEvent
from services.session.watchers import Watch
from tests.integration.session.stand import Stand

STREAMS = 300
_EVENTS = 10
_MOST = 250
"""Objects of a stream: gateway, service and reader together."""
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_SERVICES = ("session", "results", "collab", "billing", "library")
_ID = re.compile(rb"^id: (\d+)\n", re.MULTILINE)


class Reader:
    """One connection, and the ids that came over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.ids: list[int] = []

    @classmethod
    async def open(cls, stand: Stand, gateway: Gateway, session_id: str, after: int = 0) -> Reader:
        (_, bearer) = stand.identities.user_metadata("ada")[0]
        reader = cls(*await asyncio.open_connection("127.0.0.1", gateway.port))
        head = f"GET /api/v1/sessions/{session_id}/events HTTP/1.1\r\nHost: test\r\nAuthorization: {bearer}\r\n"
        reader._writer.write(f"{head}Last-Event-ID: {after}\r\n\r\n".encode())
        assert (await reader._reader.readline()).startswith(b"HTTP/1.1 200 ")
        return reader

    async def until(self, last: int) -> None:
        while not self.ids or self.ids[-1] < last:
            frame = await self._reader.readuntil(b"\n\n")
            self.ids.extend(map(int, _ID.findall(frame)))

    async def end(self) -> None:
        """Read until the other side ends the stream, in order or not; the connection may outlive it."""
        left = b""
        while not left.endswith(_LAST_CHUNK) and (more := await self._reader.read(65536)):
            left += more
        self.ids.extend(map(int, _ID.findall(left)))
        self.close()

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
async def served(file_db: Database, tmp_path: Path) -> AsyncIterator[Stand]:
    """The service on SQLite."""
    stand = Stand(file_db, tmp_path)
    await stand.start()
    yield stand
    await stand.stop()


async def gateway_of(stand: Stand) -> Gateway:
    known = stand.identities.settings("session")
    settings = GatewaySettings.model_validate(
        {
            "listen": "127.0.0.1:0",
            "backends": dict.fromkeys(_SERVICES, f"127.0.0.1:{stand.port}"),
            "rate_limit": 0,
            "drain_seconds": 1,
            **{name: known[name] for name in ("user_issuer", "user_audience", "user_jwks")},
        }
    )
    return await start(settings, clock=stand.clock)


async def commented(stand: Stand, session_id: str, numbers: range) -> None:
    for number in numbers:
        entry = Entry("comment.added", "bob", {"comment_id": f"c{number}"})
        await stand.app.record_collab(CollabEvent(session_id, f"c{number}", 1, entry))


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def watches() -> int:
    return sum(type(each) is Watch for each in gc.get_objects())


async def test_three_hundred_readers(served: Stand) -> None:
    session_id = await served.create()
    first = len((await served.history(session_id))["timeline"])
    gateway = await gateway_of(served)
    warm = await Reader.open(served, gateway, session_id)
    await warm.until(first)
    before = objects()
    readers: list[Reader] = []
    for _ in range(STREAMS // 30):
        readers += await asyncio.gather(*(Reader.open(served, gateway, session_id) for _ in range(30)))
    await asyncio.gather(*(reader.until(first) for reader in readers))
    held = objects() - before
    assert len(served.app.hub) == watches() == STREAMS + 1
    assert held / STREAMS < _MOST
    await commented(served, session_id, range(_EVENTS))
    await asyncio.gather(*(reader.until(first + _EVENTS) for reader in readers))
    assert [reader.ids for reader in readers] == [list(range(1, first + _EVENTS + 1))] * STREAMS
    # No backlog and nothing that was told is kept.
    assert objects() - before - held < 10 * STREAMS
    while readers:
        readers.pop().close()
    async with asyncio.timeout(60):
        while len(served.app.hub) > 1:  # noqa: ASYNC110  # told by nobody
            await asyncio.sleep(0)
        while objects() - before > held / 10:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert watches() == 1
    warm.close()
    await gateway.stop()


async def test_a_reader_over_restarts_of_gateway_and_service(served: Stand, tmp_path: Path) -> None:
    session_id = await served.create()
    first = len((await served.history(session_id))["timeline"])
    seen: list[int] = []

    gateway = await gateway_of(served)
    reader = await Reader.open(served, gateway, session_id)
    await reader.until(first)
    await gateway.stop()
    await reader.end()
    seen += reader.ids
    await commented(served, session_id, range(3))

    gateway = await gateway_of(served)
    reader = await Reader.open(served, gateway, session_id, seen[-1])
    await reader.until(first + 3)
    await commented(served, session_id, range(3, 5))
    served.app.hub.stop()
    await served.stop()
    await reader.end()
    await gateway.stop()
    seen += reader.ids

    (tmp_path / "again").mkdir()
    again = Stand(served.db, tmp_path / "again")
    await again.start()
    gateway = await gateway_of(again)
    again.clock.advance(seconds=40 * 86400)
    await commented(again, session_id, range(5, 7))
    reader = await Reader.open(again, gateway, session_id, seen[-1])
    await reader.until(first + 7)
    reader.close()
    await gateway.stop()
    await again.stop()
    assert seen + reader.ids == list(range(1, first + 8))
