"""Delimited text to records, each with the line it began on; damage is reported and worked around."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.engines.analysis.errors import TOO_LARGE, UNREADABLE, AnalysisError
from worker.engines.analysis.reading.notes import Notes

MAX_CELLS = 5_000_000
_MAX_FIELD = 10_000_000
# An unclosed quote costs a look through the rest of the file, so their number is bounded.
_MAX_UNCLOSED = 50


@dataclass(frozen=True, slots=True)
class Syntax:
    """How records are written. A delimiter of one space stands for runs of spaces; "" is none for the others."""

    delimiter: str
    quote: str = '"'
    escape: str = ""
    comment: str = ""
    skip_lines: int = 0
    comment_asked: bool = False
    """A line that begins like a comment is one even where it has as many fields as a row."""


@dataclass(frozen=True, slots=True)
class Record:
    """`line` is where it begins, `last` where it ends; they differ where a quoted field holds line breaks."""

    line: int
    fields: list[str]
    last: int = 0

    @property
    def blank(self) -> bool:
        return not any(field.strip() for field in self.fields)


def lines_of(text: str) -> list[str]:
    """The lines with their ends: LF, CRLF or CR (`str.splitlines` would also split at form feeds and others)."""
    return list(io.StringIO(text, newline=""))


def parse(lines: Iterator[str], syntax: Syntax, *, quoted: bool = True, strict: bool = False) -> Iterator[list[str]]:
    """Records of `lines`, unless `strict` lenient about quotes in odd places."""
    if syntax.delimiter == " ":
        lines = (line.strip() for line in lines)
    quoted = quoted and bool(syntax.quote)
    return csv.reader(
        lines,
        delimiter=syntax.delimiter,
        quotechar=syntax.quote if quoted else None,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        escapechar=(syntax.escape or None) if quoted else None,
        doublequote=not syntax.escape,
        skipinitialspace=True,
        strict=strict,
    )


class _Feed:
    """Hands lines to the parser, without the comments between records, and knows where it is."""

    def __init__(self, lines: Sequence[str], begin: int, syntax: Syntax, notes: Notes) -> None:
        self._lines = lines
        self._syntax = syntax
        self._notes = notes
        self.next = begin
        self.first = begin
        self._fresh = True

    def __iter__(self) -> Iterator[str]:
        while self.next < len(self._lines):
            line = self._lines[self.next]
            self.next += 1
            if self._fresh:
                if self._comment(line):
                    self._notes.problem(self.next, f"a comment: {line.strip()[:60]!r}", "line left out")
                    continue
                self.first = self.next - 1
                self._fresh = False
            yield line

    def end_record(self) -> None:
        self._fresh = True

    def _comment(self, line: str) -> bool:
        return bool(self._syntax.comment) and line.startswith(self._syntax.comment)


def read_records(lines: Sequence[str], syntax: Syntax, notes: Notes) -> list[Record]:
    """All records of `lines`. A fault in the quoting is a problem at its line; reading goes on after it."""
    csv.field_size_limit(_MAX_FIELD)
    records: list[Record] = []
    start = syntax.skip_lines
    cells = unclosed = 0
    while start < len(lines):
        feed = _Feed(lines, start, syntax, notes)
        try:
            for fields in parse(iter(feed), syntax, strict=True):
                records.append(Record(feed.first + 1, fields, feed.next))
                feed.end_record()
                cells += len(fields)
                if cells > MAX_CELLS:
                    raise AnalysisError(TOO_LARGE, f"the dataset has more than {MAX_CELLS:,} cells")
            start = len(lines)
        except csv.Error as error:
            if "field limit" in str(error):
                raise AnalysisError(
                    UNREADABLE, f"a field that begins on line {feed.first + 1} has more than {_MAX_FIELD:,} characters"
                ) from None
            start = feed.first
            one_line = feed.next == start + 1 and lines[start].count(syntax.quote) % 2 == 0
            if not one_line:
                unclosed += 1
            if unclosed > _MAX_UNCLOSED:
                raise AnalysisError(
                    UNREADABLE, f"more than {_MAX_UNCLOSED} quotes are opened and never closed"
                ) from None
            records.append(_salvage(lines, start, syntax, notes, quoted=one_line))
            start += 1
    return records


def _salvage(lines: Sequence[str], index: int, syntax: Syntax, notes: Notes, *, quoted: bool) -> Record:
    """The record of one faulty line: leniently where text follows a closing quote, else with quotes as letters."""
    line = index + 1
    if quoted:
        fields = next(parse(iter([lines[index]]), syntax), [])
        notes.problem(line, "text follows a closing quote; it is read as part of the field", "kept")
    else:
        fields = _unquoted(lines[index], syntax)
        notes.problem(line, "a quote is opened and never closed; the line is read without quoting", "kept")
    return Record(line, fields, line)


def _unquoted(line: str, syntax: Syntax) -> list[str]:
    """The fields of a line whose quoting is broken. A quote at a field's edge is no part of its value."""
    fields = next(parse(iter([line]), syntax, quoted=False), [])
    return [field.strip().strip(syntax.quote or '"') for field in fields]


def split_swallowed(
    lines: Sequence[str], syntax: Syntax, body: Sequence[Record], width: int, notes: Notes
) -> list[Record]:
    """The records, without those that a missing quote made out of several rows.

    A record over several lines that does not fit the table, while each of its lines does, is read line by line. One
    that fits is kept, for its line breaks may be meant.
    """
    found: list[Record] = []
    for record in body:
        if record.last <= record.line:
            found.append(record)
            continue
        rows = [
            Record(number, _unquoted(lines[number - 1], syntax), number)
            for number in range(record.line, record.last + 1)
        ]
        if len(record.fields) != width and all(len(row.fields) == width > 1 for row in rows):
            found.extend(rows)
            issue = f"a quote is opened and not closed before line {record.last}; these lines are read without quoting"
            notes.problem(record.line, issue, "kept")
        else:
            found.append(record)
    return found
