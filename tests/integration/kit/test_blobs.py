"""Blobs behave the same in a directory, in memory and in a store that speaks S3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore

from kit.blobs import Access, Blobs, open_blobs
from kit.errors import Unavailable
from tests.support.s3 import S3Server

MIB = 1 << 20


@dataclass
class Place:
    """Somewhere to keep blobs; `fill` puts many there at once, `leftovers` is what unfinished uploads take."""

    blobs: Blobs
    fill: Callable[[Iterable[str]], None]
    leftovers: Callable[[], int]


def in_folder(folder: Path) -> Place:
    def fill(keys: Iterable[str]) -> None:
        for key in keys:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(b"1")

    return Place(open_blobs(str(folder)), fill, lambda: sum("#" in path.name for path in folder.rglob("*")))


def in_memory() -> Place:
    store = MemoryStore()

    def fill(keys: Iterable[str]) -> None:
        for key in keys:
            obstore.put(store, key, b"1")

    return Place(Blobs(store), fill, lambda: 0)


def in_s3(server: S3Server) -> Place:
    def fill(keys: Iterable[str]) -> None:
        for key in keys:
            server.hold(f"some/where/{key}", b"1")

    access = Access(server.endpoint, server.region, server.key_id, server.secret)
    return Place(open_blobs(f"s3://{server.bucket}/some/where", access), fill, lambda: len(server.uploads))


@pytest.fixture(params=["directory", "memory", "s3"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    if request.param == "s3":
        async with S3Server() as server:
            yield in_s3(server)
    else:
        yield in_folder(tmp_path) if request.param == "directory" else in_memory()


async def pieces(*sizes: int, then: Exception | None = None) -> AsyncIterator[bytes]:
    for number, size in enumerate(sizes):
        yield bytes([number]) * size
    if then is not None:
        raise then


async def test_what_is_put_can_be_read(place: Place) -> None:
    blobs = place.blobs
    assert (await blobs.get("a/b"), await blobs.size("a/b")) == (None, None)
    for data in (b"first", b"0123456789"):
        await blobs.put("a/b", data)
        assert (await blobs.get("a/b"), await blobs.size("a/b")) == (data, len(data))
    await blobs.put("empty", b"")
    assert (await blobs.get("empty"), await blobs.size("empty")) == (b"", 0)
    assert await blobs.get_range("a/b", 2, 5) == b"234"
    assert await blobs.get_range("a/b", 3, 3) == b""
    for start, end in ((8, 12), (20, 30)):
        with pytest.raises(Unavailable):
            await blobs.get_range("a/b", start, end)
    with pytest.raises(Unavailable):
        await blobs.get_range("none", 0, 1)
    await blobs.check()


async def test_one_that_is_renamed_or_removed_is_no_more(place: Place) -> None:
    blobs = place.blobs
    await blobs.put("from", b"new")
    await blobs.put("to", b"old")
    await blobs.rename("from", "to")
    assert (await blobs.get("from"), await blobs.get("to")) == (None, b"new")
    with pytest.raises(Unavailable):
        await blobs.rename("none", "to")
    for _ in range(2):
        await blobs.delete("to")
        assert await blobs.find("to") is None


async def test_more_than_a_page_is_listed(place: Place) -> None:
    keys = {f"many/{number:04}" for number in range(1005)}
    place.fill([*keys, "manyfold/1", "other"])
    found = [item async for part in place.blobs.stored("many") for item in part]
    assert {item.key for item in found} == keys
    assert len(found) == 1005
    assert found[0] == await place.blobs.find(found[0].key)
    assert [part async for part in place.blobs.stored("nothing")] == []


@pytest.mark.parametrize("sizes", [(), (10,), (6 * MIB, 6 * MIB, 1)], ids=["nothing", "small", "large"])
async def test_a_stream_is_stored_whole(place: Place, sizes: tuple[int, ...]) -> None:
    await place.blobs.put_stream("stream", pieces(*sizes), within=30)
    assert await place.blobs.get("stream") == b"".join([piece async for piece in pieces(*sizes)])
    assert place.leftovers() == 0


@pytest.mark.parametrize("size", [10, 6 * MIB])
async def test_of_a_stream_that_fails_nothing_is_left(place: Place, size: int) -> None:
    with pytest.raises(KeyError, match="broken"):
        await place.blobs.put_stream("stream", pieces(size, size, then=KeyError("broken")), within=30)
    assert (await place.blobs.get("stream"), place.leftovers()) == (None, 0)


async def stalled(begun: asyncio.Event, closed: asyncio.Event) -> AsyncIterator[bytes]:
    try:
        yield b"x" * (6 * MIB)
        begun.set()
        await asyncio.Event().wait()
    finally:
        closed.set()


async def test_of_a_stream_that_takes_too_long_nothing_is_left(place: Place) -> None:
    closed = asyncio.Event()
    with pytest.raises(Unavailable):
        await place.blobs.put_stream("stream", stalled(asyncio.Event(), closed), within=0.2)
    assert (await place.blobs.get("stream"), place.leftovers(), closed.is_set()) == (None, 0, True)


async def test_of_a_stream_that_nobody_waits_for_any_more_nothing_is_left(place: Place) -> None:
    begun = asyncio.Event()
    storing = asyncio.create_task(place.blobs.put_stream("stream", stalled(begun, asyncio.Event()), within=30))
    await begun.wait()
    storing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await storing
    assert (await place.blobs.get("stream"), place.leftovers()) == (None, 0)
