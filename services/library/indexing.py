"""Indexes kept up to date from the database, which is the truth: each change of a library has a revision, and an
index that is behind takes up what changed since its own. So every replica finds what any of them stored.

Saved indexes are a cache of the work; without one the index is made again from the stored texts.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

import numpy as np
import structlog
from sqlalchemy import Connection

from kit.blobs import Blobs
from kit.db.database import Database
from kit.errors import Unavailable
from kit.ids import Ids
from services.library.dense.encoding import DenseEncoding
from services.library.holdings import Indexable
from services.library.index.cache import IndexCache
from services.library.index.latent import Singles
from services.library.index.library_index import LibraryIndex, analyse
from services.library.index.segment import AnalysedDocument
from services.library.index.snapshot import SnapshotInvalid, dump, load
from services.library.index.terms import Analyzer
from services.library.metrics import CATCH_UPS, LEARNINGS
from services.library.passages import split, split_dataset
from services.library.ports import Contents, Documents

log = structlog.get_logger("index")
_SLICE = 1_000
_SLICE_CHARACTERS = 4_000_000
"""How many documents, and characters, are analysed at a time."""
_ENCODED = 32
"""How many passages are encoded at a time: some seconds."""
_PROMPTLY = 150
"""How many passages a set of documents may have to be encoded, which its first search waits for."""
P = ParamSpec("P")
T = TypeVar("T")


class LibraryIndexes:
    """Behind `ports.Indexes`; one per process and event loop."""

    def __init__(
        self,
        db: Database,
        documents: Documents,
        contents: Contents,
        blobs: Blobs,
        ids: Ids,
        *,
        most_bytes: int,
        snapshot_after: int,
        dense: DenseEncoding | None = None,
    ) -> None:
        """`most_bytes` bounds the indexes in memory; one is saved after `snapshot_after` changed documents. `dense`
        adds the vectors of an encoder."""
        self._dense = dense
        self._db = db
        self._documents = documents
        self._contents = contents
        self._blobs = blobs
        self._ids = ids
        self._snapshot_after = snapshot_after
        self._libraries = IndexCache(self._load, max_bytes=most_bytes // 2)
        self._sets = IndexCache(self._made, max_bytes=most_bytes // 2)
        self._behind: dict[str, tuple[LibraryIndex, asyncio.Task[None]]] = {}
        self._unsaved: dict[str, int] = {}
        self._learning: set[str] = set()
        self._encoding: set[str] = set()
        self._chores: set[asyncio.Task[None]] = set()
        # One thread: stems are cached per analyser, and more threads would only contend for the interpreter.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="analysis")
        self._analyzer = Analyzer()
        self._learner = ThreadPoolExecutor(1, thread_name_prefix="latent-model")

    async def of_library(self, owner: str) -> LibraryIndex:
        state = await self._db.read(lambda conn: self._documents.state(conn, owner))
        if not state.revision:
            # Nobody ever stored anything here; the cache is for those who did.
            return LibraryIndex()
        index = await self._libraries.get(owner)
        while index.revision < state.revision:
            await asyncio.shield(self._catching_up(owner, index))
        return index

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Of whole libraries and of sets of documents, how many indexes are in memory, and their bytes."""
        return {
            "library": (len(self._libraries), self._libraries.nbytes),
            "documents": (len(self._sets), self._sets.nbytes),
        }

    async def of_documents(self, document_ids: Collection[str]) -> LibraryIndex:
        # Documents never change, so neither does the index of a set of them.
        return await self._sets.get("\n".join(sorted(set(document_ids))))

    def changed(self, owner: str) -> None:
        self._chore(self._follow(owner))

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while tasks := self._tasks():
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """End what is under way; the next start takes it up."""
        for task in self._tasks():
            task.cancel()
        await self.settle()
        await asyncio.to_thread(self._thread.shutdown)
        await asyncio.to_thread(self._learner.shutdown)
        if self._dense is not None:
            await self._dense.close()

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [*self._chores, *(task for _, task in self._behind.values())]

    async def _follow(self, owner: str) -> None:
        try:
            await self.of_library(owner)
        except Unavailable as error:
            log.warning("not followed yet", cause=repr(error.__cause__ or error))

    def _catching_up(self, owner: str, index: LibraryIndex) -> asyncio.Task[None]:
        # A task of its own, one per index: who asked first may be cancelled while others wait.
        found = self._behind.get(owner)
        # One that has ended may still stand here; waiting for it would not let the loop take it away.
        if found is not None and found[0] is index and not found[1].done():
            return found[1]
        task = asyncio.ensure_future(self._catch_up(owner, index))
        self._behind[owner] = (index, task)

        def done(ended: asyncio.Task[None]) -> None:
            if self._behind.get(owner) == (index, ended):
                del self._behind[owner]

        task.add_done_callback(done)
        return task

    async def _catch_up(self, owner: str, index: LibraryIndex) -> None:
        since = index.revision

        def read(conn: Connection) -> tuple[int, list[Indexable]]:
            return self._documents.state(conn, owner).revision, self._documents.changes(conn, owner, since)

        began = perf_counter()
        revision, changes = await self._db.read(read)
        await self._take_up(index, changes)
        CATCH_UPS.observe(perf_counter() - began)
        await self._learn_if_due(owner, index)
        # Only when all of it is in, and the model where one was wanted, does the index stand for the revision.
        await self._in_thread(self._apply, index, [], {}, revision)
        unsaved = self._unsaved.get(owner, 0) + len(changes)
        if unsaved >= max(self._snapshot_after, index.documents // 10):
            unsaved = 0
            self._chore(self._save(owner, index))
        self._unsaved[owner] = unsaved
        self._encode_beside(owner, index)

    def _encode_beside(self, owner: str, index: LibraryIndex) -> None:
        if self._dense is not None and owner not in self._encoding:
            self._encoding.add(owner)
            self._chore(self._encode_all(owner, index))

    async def _encode_all(self, owner: str, index: LibraryIndex) -> None:
        try:
            if await self._encode(index):
                await self._save(owner, index)
        except Unavailable as error:
            log.warning("passages not encoded yet", cause=repr(error.__cause__ or error))
        finally:
            self._encoding.discard(owner)

    async def _encode(self, index: LibraryIndex) -> bool:
        """Give every passage its vector; whether any was missing."""
        if self._dense is None:
            return False
        done: set[str] = set()
        while wanted := await asyncio.to_thread(index.unencoded, _ENCODED, done):
            done |= set(wanted)
            titles = {each.document_id: each.title for each in await self._indexable(list(wanted))}
            texts = await self._contents.texts(list(wanted))
            # What is gone meanwhile has no text; it goes from the index too.
            held = {document_id: spans for document_id, spans in wanted.items() if document_id in texts}
            told = [
                _titled(titles.get(document_id, ""), texts[document_id][start:end])
                for document_id, spans in held.items()
                for start, end in spans
            ]
            slices = [told[begin : begin + _ENCODED] for begin in range(0, len(told), _ENCODED)]
            rows = iter([row for some in slices for row in await self._dense.passages(some)])
            vectors = {document_id: np.stack([next(rows) for _ in spans]) for document_id, spans in held.items()}
            await asyncio.to_thread(index.attach, vectors)
        return bool(done)

    async def _indexable(self, document_ids: list[str]) -> list[Indexable]:
        return await self._db.read(lambda conn: self._documents.indexable(conn, document_ids))

    async def _learn_if_due(self, owner: str, index: LibraryIndex) -> None:
        if index.overdue():
            # Without a model for what the library is now, what was just stored would be found by its words alone.
            await self._learn(index)
        elif index.due() and owner not in self._learning:
            self._learning.add(owner)
            self._chore(self._learn_beside(owner, index))

    async def _learn_beside(self, owner: str, index: LibraryIndex) -> None:
        try:
            await self._learn(index)
        finally:
            self._learning.discard(owner)

    async def _learn(self, index: LibraryIndex) -> None:
        began = perf_counter()
        # In another thread than analyses: seconds long, and what is uploaded meanwhile shall be found at once.
        try:
            await asyncio.get_running_loop().run_in_executor(self._learner, index.learn)
        except Exception:
            # Its words find a library without a model too.
            log.exception("no latent model learnt")
        LEARNINGS.observe(perf_counter() - began)

    async def _take_up(self, index: LibraryIndex, changes: Sequence[Indexable]) -> None:
        for some in _slices(changes):
            texts = await self._contents.texts([each.document_id for each in some if not each.gone])
            await self._in_thread(self._apply, index, some, texts, index.revision)

    def _apply(
        self, index: LibraryIndex, changes: Sequence[Indexable], texts: Mapping[str, str], revision: int
    ) -> None:
        upserts: list[AnalysedDocument] = []
        gone: list[str] = []
        for each in changes:
            text = texts.get(each.document_id, "")
            if each.gone or not text:
                gone.append(each.document_id)
                continue
            try:
                passages = (split_dataset if each.is_dataset else split)(text, each.pages)
                upserts.append(analyse(self._analyzer, each.document_id, each.title, text, passages))
            except Exception:
                # One text that no analysis was made for must not take the whole library out of reach.
                log.exception("document left out of the index", document_id=each.document_id)
                gone.append(each.document_id)
        index.apply(upserts, gone, revision=revision)

    async def _load(self, owner: str) -> LibraryIndex:
        state = await self._db.read(lambda conn: self._documents.state(conn, owner))
        saved = await self._blobs.get(state.snapshot) if state.snapshot else None
        if saved is not None:
            try:
                index = await self._in_thread(load, saved, encoder=self._encoder, encode=self._query_encoder)
                # A database that was set back knows nothing of what the index holds beyond it.
                if index.revision <= state.revision:
                    await self._learn_if_due(owner, index)
                    self._encode_beside(owner, index)
                    return index
            except SnapshotInvalid as error:
                log.warning("saved index not usable, made again", cause=str(error))
        return LibraryIndex(encode=self._query_encoder)

    @property
    def _encoder(self) -> str:
        return "" if self._dense is None else self._dense.name

    @property
    def _query_encoder(self) -> Callable[[str], Singles] | None:
        return None if self._dense is None else self._dense.query

    async def _made(self, key: str) -> LibraryIndex:
        index = LibraryIndex()
        wanted = key.split("\n")
        await self._take_up(index, await self._db.read(lambda conn: self._documents.indexable(conn, wanted)))
        # From these documents alone, whatever else is there: the same set always ranks the same.
        if index.due():
            await self._learn(index)
        # All vectors or none, by the set's size alone: the same set always ranks the same.
        if self._dense is not None and index.passages <= _PROMPTLY:
            index = LibraryIndex(index.state.views, model=index.state.model, encode=self._query_encoder)
            await self._encode(index)
        return index

    async def _save(self, owner: str, index: LibraryIndex) -> None:
        revision = index.revision
        key = f"index/{hashlib.sha256(owner.encode()).hexdigest()[:32]}/{self._ids.new()}"
        try:
            await self._blobs.put(key, await self._in_thread(dump, index, encoder=self._encoder))
            superseded = await self._db.write(lambda conn: self._documents.set_snapshot(conn, owner, key, revision))
            if superseded:
                await self._blobs.delete(superseded)
        except Unavailable as error:
            log.warning("index not saved", cause=repr(error.__cause__ or error))

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))


def _titled(title: str, text: str) -> str:
    """What an encoder reads of a passage: the title says what the text is about."""
    return text if not title or text.startswith(title.rstrip("…")) else f"{title.rstrip('.')}. {text}"


def _slices(changes: Sequence[Indexable]) -> Iterator[list[Indexable]]:
    some: list[Indexable] = []
    characters = 0
    for each in changes:
        some.append(each)
        characters += 0 if each.gone else each.characters
        if len(some) >= _SLICE or characters >= _SLICE_CHARACTERS:
            yield some
            some, characters = [], 0
    if some:
        yield some
