"""The archive around a report of a large document, written as it is sent.

What bounded rendering made of the shortened document comes from its own archive; the blocks that were shortened for it
are written anew from the whole document, row by row.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

from services.results.large.answers import Piece, Stored
from services.results.large.excerpt import Bounds, Excerpt, Held
from services.results.large.gathered import listed, passages, screening
from services.results.large.index import Node
from services.results.large.points import items_of, member_of, values_of
from services.results.large.shelf import streamed
from services.results.rendering.composing.anchors import Anchors
from services.results.rendering.filenames import CHECKSUMS, MANIFEST
from services.results.rendering.packing.archives import Entry
from services.results.rendering.packing.spreadsheets import csv_bytes
from services.results.rendering.serializer import SCHEMA_VERSION, dump

_ROWS = 500
_LEVEL = 1
"""Of compression: the next ones take several times as long for a few per cent."""

_PASSAGE_COLUMNS = ("citation", "document_id", "page", "start", "end", "sha256", "quote")
_WHOLE = Bounds(items=10_000, inside=10_000, block_bytes=1024 * 1024)


async def packed(stored: Stored, session_id: str, results: Sequence[Piece], report: bytes) -> AsyncIterator[bytes]:
    """A zip archive, piece by piece. Equal content gives equal bytes.

    :param results: `results.json`.
    :param report: the archive that rendering made of the shortened document.
    """
    archive = _Archive()
    anew: dict[str, Callable[[], AsyncIterator[bytes]]] = {
        "results.json": lambda: streamed(stored, results),
        "raw/passages.json": lambda: _lines(passages(stored)),
        "raw/passages.csv": lambda: _csv(_PASSAGE_COLUMNS, passages(stored)),
        "raw/screening.json": lambda: _lines(screening(stored)),
        "raw/screening.csv": lambda: _screening_csv(stored),
        **await _tables(stored),
    }
    with zipfile.ZipFile(io.BytesIO(report)) as made:
        for name in made.namelist():
            if name not in (MANIFEST, CHECKSUMS):
                pieces = anew[name]() if name in anew else _entry(made, name)
                async for piece in archive.add(name, pieces):
                    yield piece
    files = [{"path": entry.path, "bytes": entry.bytes, "sha256": entry.sha256} for entry in archive.entries]
    manifest = dump({"schema_version": SCHEMA_VERSION, "session_id": session_id, "files": files})
    async for piece in archive.add(MANIFEST, _one(manifest)):
        yield piece
    checksums = "".join(f"{entry.sha256}  {entry.path}\n" for entry in archive.entries)
    async for piece in archive.add(CHECKSUMS, _one(checksums.encode())):
        yield piece
    yield archive.end()


class _Archive:
    """A zip file whose bytes are taken as they are written."""

    def __init__(self) -> None:
        self._written = _Written()
        self._package = zipfile.ZipFile(self._written, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self.entries: list[Entry] = []

    async def add(self, path: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        digest, size = hashlib.sha256(), 0
        # By its name alone an entry has the earliest moment of all, and the package's level.
        with self._package.open(path, "w", force_zip64=True) as target:
            async for piece in pieces:
                # Compressing takes longer than reading, and lets other work go on meanwhile.
                await asyncio.to_thread(target.write, piece)
                digest.update(piece)
                size += len(piece)
                yield self._written.taken()
        self.entries.append(Entry(path, size, digest.hexdigest()))
        yield self._written.taken()

    def end(self) -> bytes:
        self._package.close()
        return self._written.taken()


class _Written(io.RawIOBase):
    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held


async def _tables(stored: Stored) -> dict[str, Callable[[], AsyncIterator[bytes]]]:
    """The files of tables with rows of their own in the index, by the names that rendering gave them."""
    anchors = Anchors()
    found: dict[str, Callable[[], AsyncIterator[bytes]]] = {}
    async for table in items_of(stored, await member_of(stored, stored.index.root, "tables")):
        path = f"tables/{anchors.of('table', str(await member_of(stored, table, 'id')))}.csv"
        columns = await member_of(stored, table, "columns")
        if isinstance(columns, Node):
            columns = await Excerpt(stored.read, _WHOLE).of(Held(None, columns), ("tables", "columns"))
        named = [_title(item) for item in columns or ()]
        found[path] = partial(_table, stored, named, await member_of(stored, table, "rows"))
    return found


def _table(stored: Stored, columns: Sequence[str], rows: Any) -> AsyncIterator[bytes]:
    return _rows_csv(columns, values_of(stored, rows))


def _title(column: Any) -> str:
    return str(column.get("title") or column.get("name")) if isinstance(column, dict) else str(column)


async def _rows_csv(columns: Sequence[str], rows: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    head = csv_bytes(columns, [])
    yield head
    held: list[Any] = []
    async for row in rows:
        held.append(row)
        if len(held) == _ROWS:
            yield csv_bytes(columns, held)[len(head) :]
            held = []
    yield csv_bytes(columns, held)[len(head) :]


async def _csv(columns: Sequence[str], records: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async def rows() -> AsyncIterator[Any]:
        async for record in records:
            if isinstance(record, dict):
                yield [record.get(column) for column in columns]

    async for piece in _rows_csv(columns, rows()):
        yield piece


async def _screening_csv(stored: Stored) -> AsyncIterator[bytes]:
    # Which columns there are is known when every row was seen.
    columns: dict[str, None] = {}
    async for row in screening(stored):
        if isinstance(row, dict):
            columns.update(dict.fromkeys(row))
    async for piece in _csv(tuple(columns), screening(stored)):
        yield piece


def _lines(rows: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    return listed(rows, between=b",\n", start=b"[\n", end=b"\n]\n")


async def _entry(made: zipfile.ZipFile, name: str) -> AsyncIterator[bytes]:
    yield made.read(name)


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data
