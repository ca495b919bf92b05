"""Large data that say themselves where a cell ends: Parquet by row groups, JSON by rows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engines.analysis.errors import UNREADABLE, AnalysisError
from worker.engines.analysis.reading.bulk_blocks import BLOCK, Array, Block, Data
from worker.engines.analysis.reading.json_rows import object_text
from worker.engines.analysis.reading.layout import column_names
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.parquet import written
from worker.engines.analysis.reading.raw import Written

_ROWS = 50_000
_SPACE = " \t\r\n"


@dataclass(slots=True)
class ParquetSource:
    """A Parquet file. Rows count from 1."""

    file: Any
    names: Sequence[str]
    rows: int
    flat_names: Sequence[str]
    """As the file has them, which may be blank or the same."""
    places: Sequence[int]
    """Of `names` in `flat_names`."""

    @classmethod
    def of(cls, data: Data) -> ParquetSource:
        """Raises :class:`AnalysisError` for a file that cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as parquet

        try:
            file = parquet.ParquetFile(pa.BufferReader(data))
        except (pa.ArrowException, OSError) as error:
            raise AnalysisError(UNREADABLE, f"the Parquet file cannot be read: {error}") from None
        flat_names = flat(file.schema_arrow.empty_table()).schema.names
        names = column_names(flat_names, Notes())
        return cls(file, names, file.metadata.num_rows, flat_names, range(len(names)))

    def select(self, names: Sequence[str]) -> None:
        """Keep only these of `names`."""
        self.places = [self.places[self.names.index(name)] for name in names]
        self.names = names

    def blocks(self, columns: Sequence[int], notes: Notes) -> Iterator[Block]:
        """All rows; see :class:`Source`."""
        import pyarrow as pa

        places = [self.places[i] for i in columns]
        roots = None
        if len(set(self.flat_names)) == len(self.flat_names):
            names = [self.flat_names[place] for place in places]
            roots = [root for root in self.file.schema_arrow.names if any(_of(name, root) for name in names)]
        first = 1
        try:
            for batch in self.file.iter_batches(batch_size=_ROWS, columns=roots, use_threads=False):
                table = flat(pa.Table.from_batches([batch]))
                found = places if roots is None else [table.schema.get_field_index(name) for name in names]
                arrays = [texts_of(table.column(place).combine_chunks()) for place in found]
                yield Block(arrays, np.arange(first, first + batch.num_rows, dtype=np.int64))
                first += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise AnalysisError(UNREADABLE, f"the Parquet file cannot be read from row {first} on: {error}") from None

    def sample(self, rows: int) -> bytes:
        """A file of the first rows, for the exact reader."""
        import pyarrow as pa
        import pyarrow.parquet as parquet

        sink = pa.BufferOutputStream()
        parquet.write_table(self._head(rows), sink)
        taken: bytes = sink.getvalue().to_pybytes()
        return taken

    def sampled(self, rows: int) -> _Sample:
        """The same rows as a source."""
        table = flat(self._head(rows))
        arrays = [texts_of(table.column(place).combine_chunks()) for place in self.places]
        return _Sample(self.names, arrays, table.num_rows)

    def _head(self, rows: int) -> Any:
        import pyarrow as pa

        batches = self.file.iter_batches(batch_size=rows, use_threads=False)
        return pa.Table.from_batches([next(batches)])


def _of(name: str, root: str) -> bool:
    return name == root or name.startswith(f"{root}.")


def flat(table: Any) -> Any:
    """The table with a struct's fields as columns ``outer.inner``."""
    import pyarrow.types as types

    while any(types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    return table


@dataclass(frozen=True, slots=True)
class _Sample:
    names: Sequence[str]
    arrays: list[Array]
    rows: int

    def blocks(self, columns: Sequence[int], notes: Notes) -> Iterator[Block]:
        yield Block([self.arrays[i] for i in columns], np.arange(1, self.rows + 1, dtype=np.int64))


def texts_of(array: Array) -> Array:
    """An array's values as the exact reader writes them; null where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as types

    kind = array.type
    if types.is_dictionary(kind):
        return texts_of(array.dictionary_decode())
    if types.is_string(kind):
        return array
    if types.is_float32(kind) or types.is_float64(kind):
        return pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array).cast(pa.string())
    if types.is_integer(kind) or types.is_boolean(kind) or types.is_date(kind):
        return array.cast(pa.string())
    return pa.array([text or None for text in written(array)], pa.string())


@dataclass(slots=True)
class JsonLinesSource:
    """One JSON object a line, or a list of objects. Rows count from 1."""

    data: Data
    names: Sequence[str]
    rows: int
    keys: Sequence[str]
    """What the objects call the columns `names`."""

    @classmethod
    def of(cls, data: Data, records: str | None) -> JsonLinesSource | str:
        """What is in the way where the JSON has another shape or a fault, which only the exact reader understands."""
        if records is not None:
            return "the rows are asked for at a place in a document"
        names: dict[str, None] = {}
        rows = 0
        try:
            for row in _objects(data, pairs=_unique):
                if not isinstance(row, dict) or any(isinstance(value, dict) for value in row.values()):
                    return f"row {rows + 1:,} {'holds an object' if isinstance(row, dict) else 'is no object'}"
                rows += 1
                if not row.keys() <= names.keys():
                    names.update(dict.fromkeys(row))
        except ValueError as error:
            return f"after row {rows:,} comes a fault: {getattr(error, 'msg', error)}"
        return cls(data, column_names(list(names), Notes()), rows, list(names))

    def select(self, names: Sequence[str]) -> None:
        """Keep only these of `names`."""
        self.keys = [self.keys[self.names.index(name)] for name in names]
        self.names = names

    @property
    def cells(self) -> int:
        """Rows times names."""
        return self.rows * len(self.names)

    def blocks(self, columns: Sequence[int], notes: Notes) -> Iterator[Block]:
        """All rows; see :class:`Source`."""
        names = [self.keys[i] for i in columns]
        first, gathered = 1, []
        for row in _objects(self.data):
            gathered.append(row)
            if len(gathered) == _ROWS:
                yield _block(gathered, names, first)
                first += len(gathered)
                gathered = []
        if gathered:
            yield _block(gathered, names, first)

    def sample(self, rows: int) -> bytes:
        """The first rows as a list, for the exact reader."""
        taken = itertools.islice(_objects(self.data, number=Written), rows)
        return f"[{', '.join(object_text(row.items()) for row in taken)}]".encode()

    def sampled(self, rows: int) -> _Sample:
        """The same rows as a source."""
        taken = list(itertools.islice(_objects(self.data), rows))
        return _Sample(self.names, _block(taken, self.keys, 1).columns, len(taken))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a name twice")
    return found


def _objects(
    data: Data, *, number: type[str] = str, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Iterator[Any]:
    """The values of a list, or one after the other, decoded one at a time. Raises ValueError for no JSON."""
    decoder = json.JSONDecoder(
        parse_float=number, parse_int=number, parse_constant=lambda _: None, object_pairs_hook=pairs
    )
    text, start, at = "", 0, 0
    listed = first = True
    parted = True
    while True:
        if len(text) - at < BLOCK // 2 and start < len(data):
            piece = bytes(data[start : start + BLOCK])
            whole = len(piece) if start + BLOCK >= len(data) else piece.rfind(b"\n") + 1 or piece.rfind(b"}") + 1
            text, at = text[at:] + piece[: whole or len(piece)].decode("utf-8-sig" if start == 0 else "utf-8"), 0
            start += whole or len(piece)
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if first:
            listed, first = text[at : at + 1] == "[", False
            at += listed
            continue
        if at < len(text) and text[at] == "," and listed and not parted:
            at, parted = at + 1, True
            continue
        if at >= len(text) and start >= len(data):
            if listed:
                raise ValueError("the list is not closed")
            return
        if at >= len(text):
            continue
        if listed and text[at] == "]":
            if text[at + 1 :].strip() or bytes(data[start:]).strip():
                raise ValueError("something follows the list")
            return
        if listed and not parted:
            raise ValueError("no comma between two values")
        value, at = decoder.raw_decode(text, at)
        parted = False
        yield value


def _block(rows: Sequence[dict[str, Any]], names: Sequence[str], first: int) -> Block:
    import pyarrow as pa

    arrays = [pa.array([_text(row.get(name)) or None for row in rows], pa.string()) for name in names]
    return Block(arrays, np.arange(first, first + len(rows), dtype=np.int64))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
