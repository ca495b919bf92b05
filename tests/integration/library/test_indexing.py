"""The index: kept over restarts, shared by replicas, right after any history."""

from __future__ import annotations

import asyncio
import itertools
import random
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kit.db.database import Database
from services.library.index.codes import Codes
from services.library.index.latent import Singles
from services.library.index.library_index import LibraryIndex
from services.library.index.snapshot import dump, load
from services.library.parsing.pool import ParserPool
from tests.integration.library.stand import Stand

Replica = Callable[..., AbstractAsyncContextManager[Stand]]
PEAT = "Peat is made of moss."


@pytest.fixture
def replica(db: Database, pool: ParserPool, tmp_path: Path) -> Replica:
    """Starts a process of the same library; one after another is a restart."""

    @asynccontextmanager
    async def started(**settings: Any) -> AsyncIterator[Stand]:
        stand = Stand(db, pool, tmp_path, upload_mb=2, snapshot_documents=20, **settings)
        await stand.start()
        yield stand
        await stand.stop()

    return started


def saved(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs" / "index").rglob("*") if path.is_file()]


async def test_restart_loads_the_saved_index_and_what_came_after(replica: Replica, tmp_path: Path) -> None:
    async with replica() as stand:
        await stand.batch(*({"text": f"{PEAT} Number {number}.", "external_id": f"e{number}"} for number in range(30)))
        before = await stand.search("number 7 of the peat")
        await stand.app.indexes.settle()
    (snapshot,) = saved(tmp_path)
    async with replica() as stand:
        assert await stand.search("number 7 of the peat") == before
        made = await stand.create("Oaks are tall.")
        await stand.create(f"{PEAT} Changed.", external_id="e7")
    async with replica() as stand:
        assert [hit.document_id for hit in await stand.search("oaks")] == [made.document_id]
        assert {hit.external_id for hit in await stand.search("peat changed", limit=1)} == {"e7"}
        assert len(await stand.search("peat", limit=100)) == 30
    assert saved(tmp_path) == [snapshot]


async def test_newer_index_replaces_the_saved_one(replica: Replica, tmp_path: Path) -> None:
    async with replica() as stand:
        for part in range(3):
            await stand.batch(*({"text": f"{PEAT} Number {part} {number}."} for number in range(25)))
            assert len(await stand.search("peat", limit=100)) == 25 * (part + 1)
            await stand.app.indexes.settle()
            assert len(saved(tmp_path)) == 1


@pytest.mark.parametrize("harm", ["damaged", "lost"])
async def test_without_its_saved_index_a_library_is_indexed_again(replica: Replica, tmp_path: Path, harm: str) -> None:
    async with replica() as stand:
        await stand.batch(*({"text": f"{PEAT} Number {number}."} for number in range(30)))
        before = await stand.search("peat number 3")
        await stand.app.indexes.settle()
    (snapshot,) = saved(tmp_path)
    if harm == "lost":
        shutil.rmtree(tmp_path / "blobs" / "index")
    else:
        snapshot.write_bytes(snapshot.read_bytes()[:-100])
    async with replica() as stand:
        assert await stand.search("peat number 3") == before


async def test_replicas_find_what_any_of_them_stored(replica: Replica) -> None:
    async with replica() as one, replica() as two:
        first = await one.create(PEAT, external_id="a")
        assert [hit.document_id for hit in await two.search("peat")] == [first.document_id]
        second = await two.create(f"{PEAT} Again.", external_id="a")
        third = await one.create("Peat burns.")
        found = {second.document_id, third.document_id}
        for stand in (one, two):
            assert {hit.document_id for hit in await stand.search("peat")} == found
        await two.delete(third.document_id)
        for stand in (one, two):
            assert {hit.document_id for hit in await stand.search("peat")} == {second.document_id}


async def test_any_history_ends_in_the_same_ranking(replica: Replica) -> None:
    """Changes in any order, on two replicas with searches between, against an index made at once."""
    chance = random.Random(5)
    words = ["peat", "bog", "fen", "moss", "oak", "carbon", "water"]
    living: dict[str, str] = {}
    async with replica() as one, replica() as two:
        for _, stand in zip(range(60), itertools.cycle((one, two)), strict=False):
            external_id = f"e{chance.randrange(12)}"
            if external_id in living and chance.random() < 0.4:
                await stand.delete(living.pop(external_id))
            else:
                text = " ".join(chance.choices(words, k=chance.randint(3, 30))).capitalize() + "."
                living[external_id] = (await stand.create(text, external_id=external_id)).document_id
            if chance.random() < 0.5:
                await stand.search("peat bog")
        queries = ["peat bog", "moss", "carbon water oak"]
        found = [await stand.search(query) for query in queries for stand in (one, two)]
        assert found[0::2] == found[1::2]
        assert {hit.document_id for hit in found[0]} <= set(living.values())
    async with replica() as afresh:
        again = [await afresh.search(query) for query in queries]
    assert [[(hit.document_id, hit.start) for hit in hits] for hits in again] == [
        [(hit.document_id, hit.start) for hit in hits] for hits in found[0::2]
    ]


async def test_searches_at_once_while_documents_come(replica: Replica) -> None:
    async with replica() as stand:

        async def store(number: int) -> None:
            made = await stand.create(f"{PEAT} Number {number}.")
            assert made.document_id in {hit.document_id for hit in await stand.search(f"number {number}", limit=100)}

        await asyncio.gather(*(store(number) for number in range(40)))
        assert len(await stand.search("peat", limit=100)) == 40


async def test_an_abandoned_search_harms_no_other(replica: Replica) -> None:
    async with replica() as stand:
        await stand.batch(*({"text": f"{PEAT} Number {number}."} for number in range(300)))
        waiting = [asyncio.create_task(stand.app.indexes.of_library("ada")) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        for task in waiting[1:]:
            assert (await task).documents == 300


async def test_libraries_are_apart(replica: Replica) -> None:
    async with replica() as stand:
        await stand.create(PEAT)
        mine = await stand.create("Oaks are tall.", user="ben")
        assert [hit.document_id for hit in await stand.search("peat oaks", user="ben")] == [mine.document_id]
        assert await stand.search("peat", user="new") == []


async def test_who_comes_just_after_a_catch_up_ended_starts_another(local: Stand) -> None:
    await local.create(PEAT)
    indexes = local.app.indexes
    index = await indexes.of_library("ada")
    ended = asyncio.create_task(asyncio.sleep(0))
    await ended
    # As between the end of a catch-up and the callback that takes it away.
    indexes._behind["ada"] = (index, ended)
    await local.create("Oaks are tall.")
    assert len(await local.search("oaks")) == 1
    assert (await asyncio.wait_for(indexes.of_library("ada"), 60)).revision == index.revision


async def test_what_a_latent_model_found_is_found_after_a_restart(replica: Replica, tmp_path: Path) -> None:
    chance = random.Random(4)
    subjects = [["peat", "bog", "moss", "carbon", "mire", "fen"], ["star", "galaxy", "nebula", "orbit", "comet"]]
    texts = [" ".join(chance.sample(subjects[number % 2], 4)) for number in range(80)]
    async with replica() as stand:
        await stand.batch(*({"text": f"{text}.", "external_id": f"e{number}"} for number, text in enumerate(texts)))
        # Learnt from all, whichever of them were there when the service learnt for the first time.
        (await stand.app.indexes.of_library("ada")).learn()
        found = await stand.search("carbon in mires", limit=100)
        await stand.app.indexes.settle()
    for path in saved(tmp_path):
        path.unlink()
    async with replica() as stand:
        assert found
        assert await stand.search("carbon in mires", limit=100) == found


async def test_a_model_that_grew_old_while_the_index_was_saved_is_learnt_anew(replica: Replica, tmp_path: Path) -> None:
    async with replica() as stand:
        await stand.batch(*({"text": f"{PEAT} Number {number}."} for number in range(60)))
        await stand.app.indexes.settle()
    (snapshot,) = saved(tmp_path)
    state = load(snapshot.read_bytes()).state
    assert state.model is not None
    older = LibraryIndex(state.views, revision=state.revision, model=replace(state.model, documents=45))
    assert older.due()
    assert not older.overdue()
    snapshot.write_bytes(dump(older))
    async with replica() as stand:
        await stand.search("peat")
        await stand.app.indexes.settle()
        assert not (await stand.app.indexes.of_library("ada")).due()


class Encoder:
    """Stands for an encoder's process; counts the passages that it was given."""

    name = "counting"

    def __init__(self) -> None:
        self.passages_given = 0

    def query(self, text: str) -> Singles:
        return np.ones(2, dtype=np.float32)

    async def passages(self, texts: Sequence[str]) -> Codes:
        self.passages_given += len(texts)
        return np.full((len(texts), 2), 127, dtype=np.int8)

    async def close(self) -> None:
        """Nothing is held."""


async def test_vectors_that_come_after_the_index_was_saved_are_saved_with_it(
    replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder()
    monkeypatch.setattr("services.library.app._dense_encoding", lambda: encoder)
    async with replica() as stand:
        await stand.batch(*({"text": f"{PEAT} Number {number}."} for number in range(30)))
        await stand.app.indexes.settle()
    for _ in range(2):
        async with replica(dense=True) as stand:
            assert await stand.search("moss")
            await stand.app.indexes.settle()
        assert encoder.passages_given == 30
        assert len(saved(tmp_path)) == 1


async def test_an_index_is_complete_only_with_the_model_of_what_it_holds(
    local: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, learn = threading.Event(), threading.Event(), LibraryIndex.learn

    def held_up(index: LibraryIndex) -> None:
        begun.set()
        assert go_on.wait(30)
        learn(index)

    monkeypatch.setattr(LibraryIndex, "learn", held_up)
    await local.batch(*({"text": f"{PEAT} Number {number}."} for number in range(60)))
    assert await asyncio.to_thread(begun.wait, 30)
    indexes = local.app.indexes
    stored = await local.db.read(lambda conn: indexes._documents.state(conn, "ada"))
    try:
        # Or searches would go on without it.
        assert (await indexes._libraries.get("ada")).revision < stored.revision
    finally:
        go_on.set()
    assert (await indexes.of_library("ada")).state.model is not None


async def test_a_model_that_cannot_be_learnt_leaves_the_words(local: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(index: LibraryIndex) -> None:
        raise MemoryError

    monkeypatch.setattr(LibraryIndex, "learn", failing)
    await local.batch(*({"text": f"{PEAT} Number {number}."} for number in range(60)))
    assert len(await local.search("peat", limit=100)) == 60


async def test_sets_that_are_soon_encoded_are_and_larger_ones_never(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder()
    monkeypatch.setattr("services.library.app._dense_encoding", lambda: encoder)
    monkeypatch.setattr("services.library.indexing._PROMPTLY", 3)
    async with replica(dense=True) as stand:
        results = await stand.batch(*({"text": f"{PEAT} Number {number}."} for number in range(8)))
        await stand.app.indexes.settle()
        made = [each["document_id"] for each in results]
        for documents, encoded in ((made[:3], 11), (made[:4], 11), (made[4:6], 13)):
            hits = await stand.passages("bogs and moss", stand.grant(documents=documents), passages=True)
            assert {hit.document_id for hit in hits} == set(documents)
            assert encoder.passages_given == encoded
