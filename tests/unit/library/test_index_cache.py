from __future__ import annotations

import asyncio

import pytest

from services.library.index.cache import IndexCache
from services.library.index.library_index import LibraryIndex, analyse
from services.library.index.terms import Analyzer
from services.library.passages import split


class Shelf:
    """Makes an index for each owner and remembers who asked."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False

    async def load(self, owner: str) -> LibraryIndex:
        self.loads.append(owner)
        await self.gate.wait()
        if self.broken:
            raise OSError("away")
        index = LibraryIndex()
        text = f"Peat of {owner}."
        index.apply([analyse(Analyzer(), "a", "", text, split(text))], revision=1)
        return index


SIZE = 1_000


async def test_the_least_recently_used_goes_first() -> None:
    shelf = Shelf()
    one = (await shelf.load("x")).nbytes
    shelf.loads.clear()
    cache = IndexCache(shelf.load, max_bytes=2 * one + one // 2)
    for owner in ("ann", "bob", "ann", "cid", "ann", "bob"):
        await cache.get(owner)
    assert shelf.loads == ["ann", "bob", "cid", "bob"]
    assert cache.nbytes <= 2 * one + one // 2


async def test_the_one_in_use_stays_however_large() -> None:
    shelf = Shelf()
    cache = IndexCache(shelf.load, max_bytes=1)
    index = await cache.get("ann")
    assert await cache.get("ann") is index
    await cache.get("bob")
    await cache.get("ann")
    assert shelf.loads == ["ann", "bob", "ann"]


async def test_one_load_serves_all_who_wait_even_when_the_first_leaves() -> None:
    shelf = Shelf()
    shelf.gate.clear()
    cache = IndexCache(shelf.load, max_bytes=SIZE)
    first, second = (asyncio.create_task(cache.get("ann")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    shelf.gate.set()
    index = await second
    assert shelf.loads == ["ann"]
    assert await cache.get("ann") is index
    assert shelf.loads == ["ann"]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_failed_load_is_tried_again() -> None:
    shelf = Shelf()
    shelf.broken = True
    cache = IndexCache(shelf.load, max_bytes=SIZE)
    with pytest.raises(OSError, match="away"):
        await cache.get("ann")
    shelf.broken = False
    assert (await cache.get("ann")).documents == 1
    assert shelf.loads == ["ann", "ann"]
