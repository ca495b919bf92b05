"""Loaded indexes, the least recently used dropped when they hold too much memory together."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from services.library.index.library_index import LibraryIndex

Loader = Callable[[str], Awaitable[LibraryIndex]]


class IndexCache:
    """Indexes by owner, for one event loop. `load` makes an owner's index; it runs once for all who wait.

    `max_bytes` bounds what is kept, not what is in use: the index asked for last always stays. Dropping
    one loses nothing that a snapshot and the stored documents do not give back.
    """

    def __init__(self, load: Loader, *, max_bytes: int) -> None:
        self._load = load
        self._max_bytes = max_bytes
        self._indexes: OrderedDict[str, LibraryIndex] = OrderedDict()
        self._loading: dict[str, asyncio.Future[LibraryIndex]] = {}

    async def get(self, owner: str) -> LibraryIndex:
        """The owner's index. What `load` raises reaches everyone who waits, and the next call tries again."""
        index = self._indexes.get(owner)
        if index is None:
            index = await self._loaded(owner)
        else:
            self._indexes.move_to_end(owner)
        self._shrink()
        return index

    def __len__(self) -> int:
        """How many are loaded."""
        return len(self._indexes)

    @property
    def nbytes(self) -> int:
        return sum(index.nbytes for index in self._indexes.values())

    async def _loaded(self, owner: str) -> LibraryIndex:
        loading = self._loading.get(owner)
        if loading is None:
            # A task of its own: who asked first may be cancelled while others still wait.
            loading = asyncio.ensure_future(self._fill(owner))
            self._loading[owner] = loading
            loading.add_done_callback(lambda _: self._loading.pop(owner, None))
        return await asyncio.shield(loading)

    async def _fill(self, owner: str) -> LibraryIndex:
        index = await self._load(owner)
        self._indexes[owner] = index
        return index

    def _shrink(self) -> None:
        total = self.nbytes
        while len(self._indexes) > 1 and total > self._max_bytes:
            _, dropped = self._indexes.popitem(last=False)
            total -= dropped.nbytes
