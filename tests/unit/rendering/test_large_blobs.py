"""Blobs that are too large to be held: written as they come, read by ranges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.blobs import Blobs, open_blobs
from kit.errors import PayloadTooLarge, Unavailable

_PIECE = 700_000


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(str(tmp_path))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def pieces(count: int, error: Exception | None = None) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number]) * _PIECE
    if error is not None:
        raise error


async def test_what_was_streamed_is_read_by_ranges(blobs: Blobs) -> None:
    await blobs.put_stream("a/b", pieces(20), within=30)
    assert await blobs.size("a/b") == 20 * _PIECE
    assert await blobs.get_range("a/b", _PIECE - 1, _PIECE + 2) == b"\x00\x01\x01"
    assert await blobs.get_range("a/b", 5, 5) == b""
    await blobs.rename("a/b", "c/d")
    assert await blobs.size("a/b") is None
    assert await blobs.get("c/d") == b"".join([piece async for piece in pieces(20)])


async def test_what_breaks_off_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    await blobs.put("a/whole", b"x")
    with pytest.raises(PayloadTooLarge):
        await blobs.put_stream("a/torn", pieces(20, PayloadTooLarge("too large")), within=30)
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 6 * 1024 * 1024
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(blobs.put_stream("a/gone", endless(), within=30))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(Unavailable):
        await blobs.put_stream("a/late", endless(), within=0.01)
    assert files(tmp_path) == ["whole"]


async def test_ranges_of_what_is_not_there_are_unavailable(blobs: Blobs) -> None:
    assert await blobs.size("a/none") is None
    with pytest.raises(Unavailable):
        await blobs.get_range("a/none", 0, 3)
    with pytest.raises(Unavailable):
        await blobs.rename("a/none", "a/other")
