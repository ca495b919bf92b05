"""Large documents on the shelf: split once, kept beside the document, and told apart from what cannot be read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import orjson
import pytest

from kit.blobs import Blobs, open_blobs
from kit.errors import DeadlineExceeded, Unavailable
from services.results.domain import ArtifactKey
from services.results.large.shelf import Shelf, blob_pieces
from services.results.large.splitting import DocumentUnreadable, Splitter
from tests.unit.rendering.test_large_scanner import canonical

_DOCUMENT = {"title": "t", "citations": [{"id": f"r{n}", "quote": "word " * 40} for n in range(3000)]}


class CountingSplitter(Splitter):
    """Counts how often a document is split."""

    def __init__(self, seconds: float = 20) -> None:
        super().__init__(memory=1 << 30, seconds=seconds)
        self.runs = 0

    def _run(self, document: AsyncIterator[bytes], *options: str) -> AsyncGenerator[bytes]:
        self.runs += 1
        return super()._run(document, *options)


async def put(blobs: Blobs, data: bytes) -> ArtifactKey:
    key = ArtifactKey("s", 1, hashlib.sha256(data).hexdigest())
    await blobs.put(key.blob, data)
    return key


async def test_a_document_is_split_once_for_all_who_wait_and_for_ever(tmp_path: Path) -> None:
    blobs, splitter = open_blobs(str(tmp_path)), CountingSplitter()
    data = canonical(_DOCUMENT)
    key = await put(blobs, data)
    shelf = Shelf(blobs, splitter, threshold=1000)
    assert await shelf.is_large(key)
    shelf.prepare(key, len(data))
    opened = await asyncio.gather(*(shelf.open(key) for _ in range(4)))
    assert len({id(stored.index) for stored in opened}) == 1
    later = await Shelf(blobs, splitter, threshold=1000).open(key)
    assert later.index == opened[0].index
    assert splitter.runs == 1
    assert await later.read(0, later.index.size) == data


async def test_a_document_written_otherwise_gets_a_canonical_copy(tmp_path: Path) -> None:
    blobs = open_blobs(str(tmp_path))
    key = await put(blobs, orjson.dumps(_DOCUMENT, option=orjson.OPT_INDENT_2))
    stored = await Shelf(blobs, CountingSplitter(), threshold=1000).open(key)
    assert stored.index.is_copy
    assert await stored.read(0, stored.index.size) == canonical(_DOCUMENT)


async def test_what_cannot_be_read_is_told_and_tried_again(tmp_path: Path) -> None:
    blobs, splitter = open_blobs(str(tmp_path)), CountingSplitter()
    shelf = Shelf(blobs, splitter, threshold=10)
    torn = await put(blobs, canonical(_DOCUMENT)[:-20])
    for _ in range(2):
        with pytest.raises(DocumentUnreadable):
            await shelf.open(torn)
    assert splitter.runs == 4
    missing = ArtifactKey("s", 1, "0" * 64)
    with pytest.raises(Unavailable):
        await shelf.is_large(missing)
    with pytest.raises(Unavailable):
        await shelf.open(missing)
    assert [await blobs.size(f"{torn.blob}.{end}") for end in ("index", "canonical")] == [None, None]


async def test_while_no_process_can_be_started_nothing_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = open_blobs(str(tmp_path))
    key = await put(blobs, canonical(_DOCUMENT))
    with monkeypatch.context() as without:
        without.setattr("sys.executable", "/nowhere/python")
        with pytest.raises(Unavailable):
            await CountingSplitter().index(blob_pieces(blobs, key.blob))


async def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    key = await put(open_blobs(str(tmp_path)), canonical(_DOCUMENT))
    blobs = open_blobs(str(tmp_path))
    with pytest.raises(DeadlineExceeded):
        await CountingSplitter(seconds=0.001).index(blob_pieces(blobs, key.blob))


def test_a_reader_that_takes_its_time_is_told_so_and_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def document() -> AsyncIterator[bytes]:
        yield canonical(_DOCUMENT)

    async def read() -> None:
        loop = asyncio.get_running_loop()
        pieces = CountingSplitter().canonical(document())
        await anext(pieces)
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + 100)
        for _ in range(3):
            await asyncio.sleep(0)  # What is due happens now.
        with pytest.raises(DeadlineExceeded):
            async for _ in pieces:
                pass

    asyncio.run(read())


async def test_a_small_document_is_no_business_of_the_shelf(tmp_path: Path) -> None:
    blobs, splitter = open_blobs(str(tmp_path)), CountingSplitter()
    shelf = Shelf(blobs, splitter, threshold=1_000_000_000)
    data = canonical(_DOCUMENT)
    key = await put(blobs, data)
    shelf.prepare(key, len(data))
    assert not await shelf.is_large(key)
    assert splitter.runs == 0


@pytest.mark.parametrize("harm", ["index", "copy", "copy_cut"])
async def test_what_lies_beside_a_document_is_made_anew_where_it_is_damaged(tmp_path: Path, harm: str) -> None:
    blobs = open_blobs(str(tmp_path))
    key = await put(blobs, orjson.dumps(_DOCUMENT, option=orjson.OPT_INDENT_2))
    await Shelf(blobs, CountingSplitter(), threshold=1000).open(key)
    if harm == "index":
        await blobs.put(f"{key.blob}.index", b'{"version": 1, "root": [')
    elif harm == "copy":
        await blobs.delete(f"{key.blob}.canonical")
    else:
        await blobs.put(f"{key.blob}.canonical", canonical(_DOCUMENT)[:-20])
    stored = await Shelf(blobs, CountingSplitter(), threshold=1000).open(key)
    assert await stored.read(0, stored.index.size) == canonical(_DOCUMENT)


@pytest.mark.parametrize("option", [orjson.OPT_SORT_KEYS, orjson.OPT_INDENT_2])
async def test_a_document_that_was_changed_is_not_opened(tmp_path: Path, option: int) -> None:
    blobs = open_blobs(str(tmp_path))
    data = orjson.dumps(_DOCUMENT, option=option)
    key = await put(blobs, data)
    await blobs.put(key.blob, data.replace(b"word", b"lore"))
    with pytest.raises(DocumentUnreadable):
        await Shelf(blobs, CountingSplitter(), threshold=1000).open(key)
    assert [await blobs.size(f"{key.blob}.{end}") for end in ("index", "canonical")] == [None, None]
