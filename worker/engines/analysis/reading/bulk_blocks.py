"""Large data in blocks: per column an array of text cells, and the line of each row."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import UNREADABLE, AnalysisError
from worker.engines.analysis.reading.dialect import Dialect
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.records import lines_of, read_records, split_swallowed
from worker.engines.analysis.reading.rectangle import is_header
from worker.engines.analysis.wording import plural

Array = Any
Data = Any
"""Bytes, or a file mapped into memory."""

BLOCK = 8 << 20
_LARGEST_BLOCK = 64 << 20
_REPLACED = "\ufffd".encode()
MOST_ROWS_LEFT_OUT = 100_000
"""More rows that do not fit than this, and the file is not understood."""


@dataclass(frozen=True, slots=True)
class Block:
    """`columns` are arrays of strings (null where the field is empty) of the columns asked for, `lines` int64."""

    columns: list[Array]
    lines: npt.NDArray[np.int64]


class Source(Protocol):
    """Rows of one dataset, to be gone through as often as needed."""

    names: Sequence[str]
    rows: int
    """At most so many."""

    def blocks(self, columns: Sequence[int], notes: Notes) -> Iterator[Block]:
        """All rows, with the columns at these places. What is wrong with rows goes to `notes`."""
        ...


@dataclass(slots=True)
class DelimitedSource:
    """Delimited text: parsed by pyarrow where a block is plain, else with all care by the exact reader's parser."""

    data: Data
    dialect: Dialect
    names: Sequence[str]
    end: int
    """How many bytes of the data are the table's."""
    rows: int
    _blank: int = field(default=0, init=False)
    _ragged: int = field(default=0, init=False)
    _empty: set[int] | None = field(default=None, init=False)
    """Lines that hold no row of data, once they are known: every field is empty, or it is the header again."""
    _headers: set[int] = field(default_factory=set, init=False)

    @property
    def width(self) -> int:
        """Fields in a row."""
        return len(self.dialect.names)

    @property
    def _utf8_itself(self) -> bool:
        return codecs.lookup(self.dialect.encoding).name in ("utf-8", "ascii")

    @property
    def _broken(self) -> str:
        return f"holds bytes that are no {self.dialect.encoding}; each is read as \ufffd"

    def blocks(self, columns: Sequence[int], notes: Notes) -> Iterator[Block]:
        self._blank = self._ragged = 0
        places = [self.dialect.names.index(self.names[i]) for i in columns]
        found: set[int] = set()
        line = 1
        for text in self._pieces():
            count = text.count(b"\n") + (not text.endswith(b"\n"))
            skipped = self.dialect.body_line - line
            if skipped > 0:
                text = text.split(b"\n", skipped)[-1] if skipped < count else b""
            if text:
                yield self._block(text, line + max(0, skipped), places, found, notes)
            line += count
        self._empty = found if self._empty is None else self._empty
        if self._blank:
            notes.decide(f"{self._blank} blank row(s) left out", "no field holds anything")

    def _pieces(self) -> Iterator[bytes]:
        """The file in pieces of whole records, in UTF-8 with lines that end in a line feed."""
        quote, escape = self.dialect.syntax.quote.encode(), self.dialect.syntax.escape.encode()
        rest = b""
        for piece in self._utf8():
            rest += piece
            end = rest.rfind(b"\n") + 1
            if quote and end:
                end = _outside_quotes(rest, end, quote, escape)
            if not end:
                if len(rest) > _LARGEST_BLOCK:
                    end = rest.rfind(b"\n") + 1 or len(rest)
                else:
                    continue
            yield rest[:end]
            rest = rest[end:]
        if rest:
            yield rest

    def _utf8(self) -> Iterator[bytes]:
        alone = b"\n" not in self.data[:BLOCK] and b"\r" in self.data[:BLOCK]
        decoder = None
        if not self._utf8_itself:
            decoder = codecs.getincrementaldecoder(self.dialect.encoding)(errors="replace")
        for start in range(0, self.end, BLOCK):
            piece: bytes = self.data[start : min(start + BLOCK, self.end)]
            if decoder is not None:
                piece = decoder.decode(piece, final=start + BLOCK >= self.end).encode()
            if start == 0:
                piece = piece.removeprefix(codecs.BOM_UTF8)
            yield piece.replace(b"\r", b"\n") if alone else piece

    def _block(self, text: bytes, line: int, columns: Sequence[int], found: set[int], notes: Notes) -> Block:
        syntax = self.dialect.syntax
        if b"\x00" in text:
            _name_lines(text, b"\x00", line, "holds zero bytes; read without", notes)
            text = text.replace(b"\x00", b"")
        if not self._utf8_itself and _REPLACED in text:
            _name_lines(text, _REPLACED, line, self._broken, notes)
        plain = (
            syntax.delimiter != " " and not syntax.escape and not (syntax.comment and syntax.comment.encode() in text)
        )
        quoted = bool(syntax.quote) and syntax.quote.encode() in text
        if plain and not (quoted and not _well_quoted(text, syntax.quote, syntax.delimiter)):
            block = self._plainly(text, line, columns, found, notes, quoted=quoted)
            if block is not None:
                return block
        return self._carefully(text, line, columns, notes)

    def _plainly(
        self, text: bytes, line: int, columns: Sequence[int], found: set[int], notes: Notes, *, quoted: bool
    ) -> Block | None:
        """None where a row has more fields than names, or the block cannot be parsed."""
        import pyarrow as pa
        import pyarrow.csv as arrow

        faulty: list[Any] = []

        def note(row: Any) -> str:
            faulty.append(row)
            return "skip"

        keys = [str(i) for i in range(self.width)]
        try:
            table = arrow.read_csv(
                pa.BufferReader(text),
                read_options=arrow.ReadOptions(use_threads=False, column_names=keys, block_size=len(text) + 1),
                parse_options=arrow.ParseOptions(
                    delimiter=self.dialect.syntax.delimiter,
                    quote_char=self.dialect.syntax.quote if quoted else False,
                    newlines_in_values=False,
                    ignore_empty_lines=False,
                    invalid_row_handler=note,
                ),
                convert_options=arrow.ConvertOptions(
                    column_types=dict.fromkeys(keys, pa.string()),
                    include_columns=keys if self._empty is None else [keys[i] for i in columns],
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if any(row.actual_columns > self.width for row in faulty):
            return None
        places = np.array([row.number for row in faulty], dtype=np.int64)
        for row in faulty:
            if row.text.strip():
                self._left_out(line + row.number - 1, row.actual_columns, notes)
            else:
                self._blank += 1
        lines = np.delete(np.arange(table.num_rows + len(faulty), dtype=np.int64), places - 1) + line
        arrays = [_one(table.column(i)) for i in range(table.num_columns)]
        if self._empty is None:
            _add_empty(arrays, lines, found)
            self._add_headers(arrays, lines, found, notes)
            arrays = [arrays[i] for i in columns]
        return self._filled_rows(arrays, lines, found if self._empty is None else self._empty)

    def _filled_rows(self, arrays: list[Array], lines: npt.NDArray[np.int64], empty: set[int]) -> Block:
        """Without the rows of which every field is empty."""
        import pyarrow as pa

        if self.width == 1 or not empty:
            return Block(arrays, lines)
        kept = np.array([number not in empty for number in lines.tolist()], dtype=bool)
        self._blank += int(np.count_nonzero(~kept)) - len(self._headers.intersection(lines[~kept].tolist()))
        mask = pa.array(kept)
        return Block([array.filter(mask) for array in arrays], lines[kept])

    def _add_headers(
        self, arrays: Sequence[Array], lines: npt.NDArray[np.int64], found: set[int], notes: Notes
    ) -> None:
        """Add the lines that are the header again, and name them."""
        import pyarrow.compute as pc

        if self.width == 1:
            return
        alike = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(arrays[0], self.dialect.names[0]), False)))
        for place in alike.tolist():
            if is_header([array[place].as_py() or "" for array in arrays], self.dialect.names):
                notes.problem(int(lines[place]), "the header again", "line left out")
                self._headers.add(int(lines[place]))
        found |= self._headers

    def _carefully(self, text: bytes, line: int, columns: Sequence[int], notes: Notes) -> Block:
        import pyarrow as pa

        own = Notes()
        syntax = replace(self.dialect.syntax, skip_lines=0)
        try:
            whole = text.decode()
        except UnicodeDecodeError:
            whole = text.decode(errors="replace")
            _name_lines(whole.encode(), _REPLACED, line, self._broken, notes)
        rows = lines_of(whole)
        records = split_swallowed(rows, syntax, read_records(rows, syntax, own), self.width, own)
        for problem in own.problems:
            notes.problems.append(replace(problem, line=problem.line + line - 1))
        kept: list[list[str]] = []
        numbers: list[int] = []
        for record in records:
            fields = record.fields
            if record.blank and self.width > 1:
                self._blank += 1
                continue
            if len(fields) > self.width and not "".join(fields[self.width :]).strip():
                fields = fields[: self.width]
            if self.width == 1 and not fields:
                fields = [""]
            if len(fields) != self.width:
                self._left_out(record.line + line - 1, len(fields), notes)
                continue
            if self.width > 1 and is_header(fields, self.dialect.names):
                notes.problem(record.line + line - 1, "the header again", "line left out")
                continue
            kept.append(fields)
            numbers.append(record.line + line - 1)
        arrays = [pa.array([fields[i] or None for fields in kept], pa.string()) for i in columns]
        return Block(arrays, np.array(numbers, dtype=np.int64))

    def _left_out(self, line: int, fields: int, notes: Notes) -> None:
        self._ragged += 1
        if self._ragged > MOST_ROWS_LEFT_OUT:
            raise AnalysisError(
                UNREADABLE,
                f"more than {MOST_ROWS_LEFT_OUT:,} rows do not have the {self.width} fields of the header; name the "
                "delimiter and the header's line in preferences.analysis.read",
            )
        notes.problem(line, f"has {plural(fields, 'field')} where the header has {self.width}", "row left out")


def _outside_quotes(text: bytes, end: int, quote: bytes, escape: bytes) -> int:
    """The last end of a line up to `end` with an even number of quotes before it; 0 where there is none near."""

    def odd(part: bytes) -> int:
        return (part.count(quote) - (part.count(escape + quote) if escape else 0)) % 2

    parity = odd(text[:end])
    for _ in range(1_000):
        if not parity:
            return end
        before = text.rfind(b"\n", 0, end - 1) + 1
        if not before:
            return 0
        parity ^= odd(text[before:end])
        end = before
    return 0


def _name_lines(text: bytes, mark: bytes, first: int, issue: str, notes: Notes) -> None:
    """Name the lines that hold `mark`; `text` begins on the line `first`."""
    for number, content in enumerate(text.split(b"\n"), start=first):
        if mark in content:
            notes.problem(number, issue, "kept")


def _well_quoted(text: bytes, quote: str, delimiter: str) -> bool:
    """Whether every quote opens or closes a field that is quoted as a whole, within one line."""
    q, d = re.escape(quote.encode()), re.escape(delimiter.encode())
    whole = re.compile(
        rb"(?:(?<=^)|(?<=[\n" + d + rb"]))" + q + rb"[^\n" + q + rb"]*" + q + rb"(?=[\r\n" + d + rb"]|$)"
    )
    return 2 * sum(1 for _ in whole.finditer(text)) == text.count(quote.encode())


def _add_empty(arrays: Sequence[Array], lines: npt.NDArray[np.int64], found: set[int]) -> None:
    """Add the lines of which every field is empty."""
    if any(not array.null_count for array in arrays):
        return
    empty = np.ones(len(lines), dtype=bool)
    for array in arrays:
        empty &= np.asarray(array.is_null())
    found.update(lines[empty].tolist())


def _one(column: Array) -> Array:
    """A chunked array in one piece."""
    import pyarrow as pa

    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], pa.string())])
