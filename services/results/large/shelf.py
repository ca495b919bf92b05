"""Large documents, opened for reading by parts. Their indexes lie in the object store beside them."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence

import structlog

from kit.errors import PrsmError, Unavailable
from services.results.domain import ArtifactKey
from services.results.large.answers import Piece, Stored
from services.results.large.flow import Flow
from services.results.large.index import Index, dump_index, load_index
from services.results.large.splitting import DocumentUnreadable, Splitter
from services.results.ports import RangeStore

THRESHOLD = 4 * 1024 * 1024
"""Bytes of a document from which it is read by parts."""

READ_BYTES = 1024 * 1024
"""Of one request to the store: what a stream holds."""

_KEPT = 8
"""Indexes held in memory; each takes about a thousandth of its document."""

_SIZES = 10_000
"""Sizes of documents that are remembered; they never change."""

log = structlog.get_logger("large")


class Shelf:
    """Opens documents; each is split at most once at a time, and never again once its index is stored."""

    def __init__(self, store: RangeStore, splitter: Splitter, *, threshold: int = THRESHOLD) -> None:
        self._store = store
        self._splitter = splitter
        self._threshold = threshold
        self._kept: OrderedDict[str, Index] = OrderedDict()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._running: dict[str, asyncio.Task[Index]] = {}

    async def is_large(self, key: ArtifactKey) -> bool:
        """Whether a document is to be read by parts. Raises Unavailable."""
        size = self._sizes.get(key.blob)
        if size is None:
            size = await self._store.size(key.blob)
            if size is None:
                raise Unavailable("The results cannot be read just now")
            self._sizes[key.blob] = size
            while len(self._sizes) > _SIZES:
                self._sizes.popitem(last=False)
        return size >= self._threshold

    def prepare(self, key: ArtifactKey, size: int) -> None:
        """Begin to split a document that has just been stored, if it is large; whoever reads it first waits less."""
        if size >= self._threshold:
            self._splitting(key).add_done_callback(_told)

    async def open(self, key: ArtifactKey) -> Stored:
        """Raises Unavailable, DeadlineExceeded, DocumentUnreadable."""
        index = self._kept.get(key.blob)
        if index is None:
            # Who goes away does not stop the work for those who wait for the same.
            index = await asyncio.shield(self._splitting(key))
        else:
            self._kept.move_to_end(key.blob)
        blob = _copy(key) if index.is_copy else key.blob
        return Stored(index, lambda start, end: self._store.get_range(blob, start, end), key.hash)

    def _splitting(self, key: ArtifactKey) -> asyncio.Task[Index]:
        task = self._running.get(key.blob)
        if task is None:
            task = self._running[key.blob] = asyncio.create_task(self._index(key))
            task.add_done_callback(lambda _: self._running.pop(key.blob, None))
        return task

    async def _index(self, key: ArtifactKey) -> Index:
        place = f"{key.blob}.index"
        stored = await self._store.get(place)
        index = load_index(stored) if stored is not None else None
        if index is not None and await self._store.size(_copy(key) if index.is_copy else key.blob) != index.size:
            # What it tells of is gone or cut off.
            index = None
        if index is None:
            index = await self._split(key)
            await self._store.put(place, dump_index(index))
        self._kept[key.blob] = index
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return index

    async def _split(self, key: ArtifactKey) -> Index:
        if (index := await self._splitter.index(self.pieces(key))) is not None:
            return index
        await self._store.put_stream(_copy(key), self._splitter.canonical(self.pieces(key)), within=300)
        index = await self._splitter.index(blob_pieces(self._store, _copy(key)))
        if index is None:
            raise DocumentUnreadable("The stored results cannot be read")
        return Index(index.root, index.size, index.small, is_copy=True)

    def pieces(self, key: ArtifactKey) -> AsyncIterator[bytes]:
        """The document, piece by piece; raises as `artifact_pieces`."""
        return artifact_pieces(self._store, key)


async def artifact_pieces(store: RangeStore, key: ArtifactKey) -> AsyncIterator[bytes]:
    """An artifact, piece by piece. Raises Unavailable, and at its end DocumentUnreadable where it is not what was
    stored."""
    digest = hashlib.sha256()
    async for piece in blob_pieces(store, key.blob):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != key.hash:
        log.error("an artifact is damaged", session_id=key.session_id, blob=key.blob)
        raise DocumentUnreadable("What is stored cannot be read")


async def blob_pieces(store: RangeStore, blob: str) -> AsyncIterator[bytes]:
    """A blob, piece by piece. Raises Unavailable, also where there is none."""
    size = await store.size(blob)
    if size is None:
        raise Unavailable("The results cannot be read just now")
    for start in range(0, size, READ_BYTES):
        yield await store.get_range(blob, start, min(size, start + READ_BYTES))


async def streamed(stored: Stored, pieces: Sequence[Piece]) -> AsyncIterator[bytes]:
    """The bytes of pieces, in portions that are read as they are wanted. Raises Unavailable."""
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        if not isinstance(piece, tuple):
            async for part in piece():
                yield part
            continue
        start, end = piece
        for place in range(start, end, READ_BYTES):
            yield await stored.read(place, min(end, place + READ_BYTES))


def length_of(pieces: Sequence[Piece]) -> int | None:
    """Bytes of pieces, None where some are only made as they are sent."""
    size = 0
    for piece in pieces:
        if not isinstance(piece, (bytes, tuple)):
            return None
        size += len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
    return size


def flow_of(stored: Stored, pieces: Sequence[Piece], *, filename: str) -> Flow:
    """A JSON answer as it is sent."""
    return Flow("application/json", filename, length_of(pieces), lambda: streamed(stored, pieces))


def _copy(key: ArtifactKey) -> str:
    return f"{key.blob}.canonical"


def _told(task: asyncio.Task[Index]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        # Who reads it tries again.
        level = log.warning if isinstance(error, PrsmError) else log.error
        level("a large document could not be split", cause=repr(error))
