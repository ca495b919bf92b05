"""Large data that say themselves where a cell ends: Parquet by row groups, JSON by rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engines.analysis.errors import UNREADABLE, AnalysisError
from worker.engines.analysis.reading.bulk_blocks import BLOCK, Array, Block, Data
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.parquet import written

_ROWS = 50_000
_SPACE = " \t\r\n"


@dataclass(slots=True)
class ParquetSource:
    """A Parquet file. Rows count from 1."""

    file: Any
    names: Sequence[str]
    rows: int

    @classmethod
    def of(cls, data: Data) -> ParquetSource:
        """Raises :class:`AnalysisError` for a file that cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as parquet

        try:
            file = parquet.ParquetFile(pa.BufferReader(data))
        except (pa.ArrowException, OSError) as error:
            raise AnalysisError(UNREADABLE, f"the Parquet file cannot be read: {error}") from None
        return cls(file, flat(file.schema_arrow.empty_table()).schema.names, file.metadata.num_rows)

    def blocks(self, columns: Sequence[int], notes: Notes) -> Iterator[Block]:
        """All rows; see :class:`Source`."""
        import pyarrow as pa

        names = [self.names[i] for i in columns]
        roots = [root for root in self.file.schema_arrow.names if any(_of(name, root) for name in names)]
        first = 1
        try:
            for batch in self.file.iter_batches(batch_size=_ROWS, columns=roots, use_threads=False):
                table = flat(pa.Table.from_batches([batch]))
                arrays = [texts_of(table.column(name).combine_chunks()) for name in names]
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
        return _Sample(
            self.names, [texts_of(table.column(name).combine_chunks()) for name in self.names], table.num_rows
        )

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

    @classmethod
    def of(cls, data: Data, records: str | None) -> JsonLinesSource | None:
        """None where the JSON has another shape, which only the exact reader knows."""
        if records is not None:
            return None
        names: dict[str, None] = {}
        rows = 0
        try:
            for row in _objects(data):
                if not isinstance(row, dict) or any(isinstance(value, dict) for value in row.values()):
                    return None
                rows += 1
                if not row.keys() <= names.keys():
                    names.update(dict.fromkeys(row))
        except ValueError:
            return None
        return cls(data, [str(name) for name in names], rows)

    @property
    def cells(self) -> int:
        """Rows times names."""
        return self.rows * len(self.names)

    def blocks(self, columns: Sequence[int], notes: Notes) -> Iterator[Block]:
        """All rows; see :class:`Source`."""
        names = [self.names[i] for i in columns]
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
        return json.dumps([row for row, _ in zip(_objects(self.data), range(rows), strict=False)]).encode()

    def sampled(self, rows: int) -> _Sample:
        """The same rows as a source."""
        taken = [row for row, _ in zip(_objects(self.data), range(rows), strict=False)]
        return _Sample(self.names, _block(taken, list(self.names), 1).columns, len(taken))


def _objects(data: Data) -> Iterator[Any]:
    """The values of a list, or one after the other, decoded one at a time. Raises ValueError for no JSON."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _: None)
    text, start, at = "", 0, 0
    listed = first = True
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
        if at < len(text) and text[at] == "," and listed:
            at += 1
            continue
        if at >= len(text) and start >= len(data):
            if listed:
                raise ValueError("the list is not closed")
            return
        if listed and text[at : at + 1] == "]":
            return
        if at >= len(text):
            continue
        value, at = decoder.raw_decode(text, at)
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
