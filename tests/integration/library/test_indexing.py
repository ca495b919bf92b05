"""The index: kept over restarts, shared by replicas, right after any history."""

from __future__ import annotations

import asyncio
import itertools
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from kit.db.database import Database
from services.library.parsing.pool import ParserPool
from tests.integration.library.stand import Stand

Replica = Callable[[], AbstractAsyncContextManager[Stand]]
PEAT = "Peat is made of moss."


@pytest.fixture
def replica(db: Database, pool: ParserPool, tmp_path: Path) -> Replica:
    """Starts a process of the same library; one after another is a restart."""

    @asynccontextmanager
    async def started() -> AsyncIterator[Stand]:
        stand = Stand(db, pool, tmp_path, upload_mb=2, snapshot_documents=20)
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
    assert (await asyncio.wait_for(indexes.of_library("ada"), 30)).revision == index.revision


async def test_what_a_latent_model_found_is_found_after_a_restart(replica: Replica, tmp_path: Path) -> None:
    chance = random.Random(4)
    subjects = [["peat", "bog", "moss", "carbon", "mire", "fen"], ["star", "galaxy", "nebula", "orbit", "comet"]]
    texts = [" ".join(chance.sample(subjects[number % 2], 4)) for number in range(80)]
    async with replica() as stand:
        await stand.batch(*({"text": f"{text}.", "external_id": f"e{number}"} for number, text in enumerate(texts)))
        found = await stand.search("carbon in mires", limit=100)
        await stand.app.indexes.settle()
    for path in saved(tmp_path):
        path.unlink()
    async with replica() as stand:
        assert found
        assert await stand.search("carbon in mires", limit=100) == found
