"""Documents on their way when the service ends, and what must not hold up others."""

from __future__ import annotations

import asyncio

import pytest

from kit.blobs import Blobs
from kit.db.database import Database
from kit.errors import Unavailable
from kit.times import DAY
from services.results.app import WarmPool
from services.results.cache.claims import LEASE
from services.results.cache.index import RenditionIndex
from services.results.rendering.protocol import RenderRequest
from tests.integration.results.replicas import MADE, ORDER, REQUEST, Replicas, gather


async def test_what_is_being_made_when_the_service_ends_is_given_up(replicas: Replicas) -> None:
    replicas.press.open.clear()
    before = asyncio.all_tasks()
    renderer = replicas.start()
    asked = asyncio.create_task(renderer.render(ORDER, gather))
    await replicas.press.started.wait()
    await replicas.settle()
    await asyncio.gather(asked, return_exceptions=True)
    assert asyncio.all_tasks() == before
    # Nobody waits for the lease of what is no more.
    assert await replicas.rows() == (0, 0)


class SlowBlobs(Blobs):
    """A store that takes what it is given when it is told to."""

    asked: asyncio.Event
    takes: asyncio.Event

    async def put(self, key: str, data: bytes, *, durable: bool = True) -> None:
        self.asked.set()
        await self.takes.wait()
        await super().put(key, data, durable=durable)


async def test_what_is_being_stored_when_the_service_ends_is_stored(replicas: Replicas) -> None:
    slow = SlowBlobs(replicas.blobs._store, replicas.blobs._folder)
    slow.asked, slow.takes = asyncio.Event(), asyncio.Event()
    renderer = replicas.start(kept=replicas.kept(blobs=slow))
    part = asyncio.create_task(WarmPool(replicas.press, renderer, after=3600).run())
    await renderer.render(ORDER, gather)
    await slow.asked.wait()
    # Whoever ends a process's parts does not ask them once.
    for _ in range(3):
        part.cancel()
        await asyncio.wait([part], timeout=0.01)
    slow.takes.set()
    await asyncio.wait([part])
    assert len(replicas.objects()) == 1


async def test_uses_are_written_down_before_the_service_ends(replicas: Replicas, file_db: Database) -> None:
    renderer = replicas.start(memory=1 << 20)
    await renderer.render(ORDER, gather)
    await replicas.settle()
    replicas.clock.advance(seconds=2 * DAY / 1e6)
    await renderer.render(ORDER, gather)
    await replicas.settle()
    [row] = await file_db.read(
        lambda conn: RenditionIndex().least_used(conn, before=1 << 62, now=replicas.clock.now(), lease=LEASE, limit=9)
    )
    assert row.used_at == replicas.clock.now()


async def test_what_has_to_be_ready_takes_no_place_among_those_that_are_made(replicas: Replicas) -> None:
    renderer, ready, called = replicas.start(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        called.set()
        await ready.wait()

    first = asyncio.create_task(renderer.render(ORDER, gather, wait))
    await called.wait()
    assert not replicas.press.started.is_set()
    ready.set()
    assert await first == MADE


async def test_a_store_that_hangs_does_not_hold_a_process_for_ever(replicas: Replicas) -> None:
    renderer = replicas.kept().renderer(replicas.press, version="1", most_bytes=0, timeout_seconds=0.01)

    async def hanging() -> RenderRequest:
        await asyncio.Event().wait()
        return REQUEST

    with pytest.raises(Unavailable):
        await renderer.render(ORDER, hanging)
    await renderer.close()
