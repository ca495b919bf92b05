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


def parse(lines: Iterator[str], delimiter: str, *, quoted: bool = True) -> Iterator[list[str]]:
    """Records of `lines`, lenient about quotes in odd places."""
    if quoted:
        return csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, quoting=csv.QUOTE_NONE)


def read_records(text: str, delimiter: str, notes: Notes) -> list[Record]:
    """All records of `text`. A fault in the quoting is a problem at its line; reading goes on after it."""
    csv.field_size_limit(_MAX_FIELD)
    lines = lines_of(text)
    records: list[Record] = []
    start = cells = unclosed = 0
    while start < len(lines):
        base = start
        reader = csv.reader(
            (lines[i] for i in range(base, len(lines))),
            delimiter=delimiter,
            skipinitialspace=True,
            strict=True,
        )
        try:
            for fields in reader:
                records.append(Record(start + 1, fields, base + reader.line_num))
                start = base + reader.line_num
                cells += len(fields)
                if cells > MAX_CELLS:
                    raise AnalysisError(TOO_LARGE, f"the dataset has more than {MAX_CELLS:,} cells")
        except csv.Error:
            one_line = base + reader.line_num == start + 1 and lines[start].count('"') % 2 == 0
            if not one_line:
                unclosed += 1
            if unclosed > _MAX_UNCLOSED:
                raise AnalysisError(
                    UNREADABLE, f"more than {_MAX_UNCLOSED} quotes are opened and never closed"
                ) from None
            records.append(_salvage(lines, start, delimiter, notes, quoted=one_line))
            start += 1
    return records


def _salvage(lines: Sequence[str], index: int, delimiter: str, notes: Notes, *, quoted: bool) -> Record:
    """The record of one faulty line: leniently where text follows a closing quote, else with quotes as letters."""
    line = index + 1
    if quoted:
        fields = next(parse(iter([lines[index]]), delimiter), [])
        notes.problem(line, "text follows a closing quote; it is read as part of the field", "kept")
    else:
        fields = _unquoted(lines[index], delimiter)
        notes.problem(line, "a quote is opened and never closed; the line is read without quoting", "kept")
    return Record(line, fields, line)


def _unquoted(line: str, delimiter: str) -> list[str]:
    """The fields of a line whose quoting is broken. A quote at a field's edge is no part of its value."""
    return [field.strip().strip('"') for field in next(parse(iter([line]), delimiter, quoted=False), [])]


def split_swallowed(text: str, delimiter: str, body: Sequence[Record], width: int, notes: Notes) -> list[Record]:
    """The records, without those that a missing quote made out of several rows.

    A record over several lines that does not fit the table, while each of its lines does, is read line by line. One
    that fits is kept, for its line breaks may be meant.
    """
    lines = lines_of(text) if any(record.last > record.line for record in body) else []
    found: list[Record] = []
    for record in body:
        if record.last <= record.line:
            found.append(record)
            continue
        rows = [
            Record(number, _unquoted(lines[number - 1], delimiter), number)
            for number in range(record.line, record.last + 1)
        ]
        if len(record.fields) != width and all(len(row.fields) == width > 1 for row in rows):
            found.extend(rows)
            issue = f"a quote is opened and not closed before line {record.last}; these lines are read without quoting"
            notes.problem(record.line, issue, "kept")
        else:
            found.append(record)
    return found
