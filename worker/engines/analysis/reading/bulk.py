"""Reading data that are too large to be kept as text: numbers become doubles while the file is gone through.

How a file is written is found on a sample of it, by the same code as for small files; then every cell is held against
what was found. Up to :data:`EXACT_CELLS` cells a dataset is read exactly.
"""

from __future__ import annotations

import codecs
import hashlib
import mmap
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from worker.engines.analysis.errors import TOO_LARGE, UNREADABLE, AnalysisError
from worker.engines.analysis.options import ReadOptions
from worker.engines.analysis.reading.bulk_blocks import BLOCK, DelimitedSource, Source
from worker.engines.analysis.reading.bulk_columns import DoesNotFit, cells_for
from worker.engines.analysis.reading.bulk_lessons import Lesson, learn
from worker.engines.analysis.reading.bulk_rows import JsonLinesSource, ParquetSource
from worker.engines.analysis.reading.decoding import decode
from worker.engines.analysis.reading.dialect import Dialect, detect_dialect
from worker.engines.analysis.reading.notes import Decision, Notes, ReadResult
from worker.engines.analysis.reading.reader import read_table
from worker.engines.analysis.table import Column, ColumnType, Table

EXACT_CELLS = 2_000_000
"""Cells (rows times columns) up to which every digit of a dataset is kept; above, numbers are doubles."""
MAX_CELLS = 100_000_000
"""More cells are refused: at 8 bytes a number they would not fit the memory that a session has."""
_HEAD = 256 << 10
_SAMPLES = 8
_SAMPLE = 32 << 10
_TOLD_OF_ALL = ("missing values in column", "column types:", r"[0-9]+ blank row")
"""Beginnings of decisions that are made anew from all of the data."""
_ROWS_TOLD = 5_000


def read_file(name: str, path: str, options: ReadOptions | None = None) -> ReadResult:
    """A dataset in a file, whatever its size.

    Raises :class:`AnalysisError` as :func:`read_table` does, and `dataset_too_large` above :data:`MAX_CELLS`.
    """
    options = options or ReadOptions()
    with _mapped(path) as data:
        return read_data(name, data, options)


def read_data(name: str, data: Any, options: ReadOptions, *, exact_cells: int = EXACT_CELLS) -> ReadResult:
    """The same for bytes, or a file mapped into memory; exact up to `exact_cells`."""
    import pyarrow as pa

    # The other pools reserve a gigabyte and keep what is freed; the limit on memory counts it.
    pa.set_memory_pool(pa.system_memory_pool())
    kind = _kind(data, options)
    source: Source
    if kind == "parquet":
        source = ParquetSource.of(data)
        _check_size(source.rows * len(source.names))
        if source.rows * len(source.names) <= exact_cells:
            return read_table(name, bytes(data), options)
        return _read_large(name, data, source, _taught_by_rows(name, source, options), options, Notes())
    if kind == "other" or len(data) <= exact_cells:
        # A cell takes a byte at least, its delimiter.
        return read_table(name, bytes(data), options)
    if kind == "json lines":
        return _read_json(name, data, options, exact_cells)
    return _read_delimited(name, data, options, exact_cells)


@contextmanager
def _mapped(path: str) -> Iterator[Any]:
    with Path(path).open("rb") as file:
        if not file.seek(0, 2):
            raise AnalysisError(UNREADABLE, "the dataset is empty")
        # Not closed here: where an error passes by, its frames hold parts of the mapping, and to close it would hide
        # the error behind another. It goes with the last of what holds it.
        yield mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _kind(data: Any, options: ReadOptions) -> str:
    head = bytes(data[:4_096])
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or options.format in ("xlsx", "xls"):
        return "other"
    if (
        options.delimiter is None
        and options.format != "csv"
        and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    ):
        return "json lines"
    return "delimited"


def _check_size(cells: int) -> None:
    if cells > MAX_CELLS:
        raise AnalysisError(
            TOO_LARGE,
            f"the dataset has about {cells:,} cells, at most {MAX_CELLS:,} are read: leave out columns or rows that "
            "the question does not need",
        )


def _read_delimited(name: str, data: Any, options: ReadOptions, exact_cells: int) -> ReadResult:
    notes = Notes()
    dialect = detect_dialect(bytes(data[:_HEAD]), options, notes, whole=False)
    width = len(dialect.names)
    lines = _count(data, b"\n") or _count(data, b"\r")
    cells = lines * width
    if cells <= exact_cells:
        return read_table(name, bytes(data), options)
    _check_size(cells)
    encoding = Notes()
    dialect = _encoding(data, dialect, options, encoding)
    sample = _sample(data)
    taught = read_table(name, sample, options)
    names = [column.name for column in taught.table.columns]
    if not set(names) <= set(dialect.names):
        raise AnalysisError(
            UNREADABLE, "the dataset's header is not the same in all parts of it; name the header's line"
        )
    source = DelimitedSource(data, dialect, names, _end(data, options.skip_end), lines + 1)
    raw = DelimitedSource(sample, dialect, names, len(sample), lines + 1)
    lessons = _learned(taught, raw, options)
    told = Notes(problems=[p for p in taught.problems if p.line < dialect.body_line], decisions=encoding.decisions)
    return _read_large(name, data, source, (lessons, taught), options, told)


def _read_json(name: str, data: Any, options: ReadOptions, exact_cells: int) -> ReadResult:
    source = JsonLinesSource.of(data, options.records)
    if isinstance(source, str):
        try:
            return read_table(name, bytes(data), options)
        except AnalysisError as error:
            if error.code != TOO_LARGE:
                raise
            needed = "JSON of that size is read where every row is an object of single values"
            raise AnalysisError(TOO_LARGE, f"{error}; {needed}, but {source}") from None
    if source.cells <= exact_cells:
        return read_table(name, bytes(data), options)
    _check_size(source.cells)
    return _read_large(name, data, source, _taught_by_rows(name, source, options), options, Notes())


def _taught_by_rows(name: str, source: Any, options: ReadOptions) -> tuple[list[Lesson], ReadResult]:
    """What the exact reader says of rows from all over the source."""
    taught = read_table(name, source.sample(_ROWS_TOLD), options)
    source.select([column.name for column in taught.table.columns])
    return _learned(taught, source.sampled(_ROWS_TOLD), options), taught


def _learned(taught: ReadResult, raw: Source, options: ReadOptions) -> list[Lesson]:
    distinct: list[set[str]] = [set() for _ in raw.names]
    for block in raw.blocks(range(len(raw.names)), Notes()):
        for texts, array in zip(distinct, block.columns, strict=True):
            texts.update(text for text in array.unique().to_pylist() if text is not None)
    lessons = []
    for column, texts in zip(taught.table.columns, distinct, strict=True):
        try:
            lessons.append(learn(column, texts, options))
        except LookupError:
            lessons.append(Lesson(column.name, ColumnType.TEXT))
    return lessons


def _read_large(
    name: str,
    data: Any,
    source: Source,
    taught: tuple[Sequence[Lesson], ReadResult],
    options: ReadOptions,
    notes: Notes,
) -> ReadResult:
    lessons, sample = taught
    decoded = any(d.decision.startswith("read as ") for d in notes.decisions)
    told_otherwise = re.compile("|".join((*_TOLD_OF_ALL, "read as ") if decoded else _TOLD_OF_ALL))
    notes.decisions += [d for d in sample.decisions if not told_otherwise.match(d.decision)]
    columns = _fill(source, list(lessons), notes)
    kinds = ", ".join(f"{column.name} {column.type}" for column in columns)
    notes.decide(f"column types: {kinds}", "found on a sample; every value was held against it")
    rows = len(columns[0].cells)
    if not rows:
        raise AnalysisError(UNREADABLE, "the dataset has no rows of data")
    notes.decisions.append(
        Decision(
            "numbers are read as doubles, not digit by digit",
            f"{rows * len(columns):,} cells are more than {EXACT_CELLS:,}",
            ("fewer rows or columns",),
        )
    )
    notes.problems.sort(key=lambda problem: (problem.line, problem.column or ""))
    table = Table(name, tuple(columns), rows, _digest(data))
    return ReadResult(table, tuple(notes.problems), tuple(notes.decisions))


def _fill(source: Source, lessons: list[Lesson], notes: Notes) -> list[Column]:
    """All columns; those that turn out to be of another type than the sample's are gone through again as words."""
    columns: dict[int, Column] = {}
    wanted = list(range(len(lessons)))
    rows_told = False
    while wanted:
        cells = {place: cells_for(lessons[place], Notes(), source.rows) for place in wanted}
        unfit: dict[int, str] = {}
        of_rows = Notes()
        for block in source.blocks(wanted, of_rows):
            for place, array in zip(wanted, block.columns, strict=True):
                if place in unfit:
                    continue
                try:
                    cells[place].add(array, block.lines)
                except DoesNotFit as reason:
                    unfit[place] = str(reason)
                    del cells[place]
        if not rows_told:
            rows_told = True
            notes.problems += of_rows.problems
            notes.decisions += of_rows.decisions
        for place in list(cells):
            filled = cells.pop(place)
            try:
                columns[place] = filled.column()
            except DoesNotFit as reason:
                unfit[place] = str(reason)
            else:
                notes.problems += filled.notes.problems
                notes.decisions += filled.notes.decisions
        for place, why in unfit.items():
            lesson = lessons[place]
            notes.decide(f"column {lesson.name} holds words, not {lesson.type}s", why, str(lesson.type))
            lessons[place] = Lesson(
                lesson.name,
                ColumnType.TEXT,
                missing_values=lesson.missing_values,
                missing_words=lesson.missing_words,
            )
        wanted = sorted(unfit)
    return [columns[place] for place in sorted(columns)]


def _sample(data: Any) -> bytes:
    """The head of the file and lines from places all over it."""
    head = bytes(data[:_HEAD])
    if b"\x00" in head:
        return head[: len(head) // 4 * 4]
    parts = [head[: head.rfind(b"\n") + 1] or head]
    for k in range(1, _SAMPLES + 1):
        start = len(data) * k // (_SAMPLES + 1)
        piece = bytes(data[start : start + _SAMPLE])
        begin, end = piece.find(b"\n") + 1, piece.rfind(b"\n") + 1
        if start > _HEAD and b'"' not in piece and b"\x00" not in piece and 0 < begin < end:
            parts.append(piece[begin:end])
    return b"".join(parts)


def _end(data: Any, lines: int) -> int:
    """Where the last `lines` lines begin."""
    end = len(data)
    for _ in range(lines):
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end


def _encoding(data: Any, dialect: Dialect, options: ReadOptions, notes: Notes) -> Dialect:
    """The dialect with the encoding that all of the data fit, where only the sample was plain UTF-8."""
    if options.encoding is not None or codecs.lookup(dialect.encoding).name not in ("utf-8", "ascii"):
        return dialect
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), BLOCK):
        try:
            decoder.decode(data[start : start + BLOCK], final=start + BLOCK >= len(data))
        except UnicodeDecodeError as error:
            place = start + error.start
            _, encoding = decode(bytes(data[max(0, place - _HEAD) : place + _HEAD]), None, notes)
            return replace(dialect, encoding=encoding)
    return dialect


def _count(data: Any, mark: bytes) -> int:
    return sum(data[start : start + BLOCK].count(mark) for start in range(0, len(data), BLOCK))


def _digest(data: Any) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(data), BLOCK):
        digest.update(data[start : start + BLOCK])
    return digest.hexdigest()
