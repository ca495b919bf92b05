"""The way from bytes to a typed table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from worker.engines.analysis.errors import UNREADABLE, AnalysisError, invalid
from worker.engines.analysis.options import ReadOptions
from worker.engines.analysis.reading.columns import ColumnBuilder
from worker.engines.analysis.reading.decoding import decode
from worker.engines.analysis.reading.dialect import column_names, sniff_delimiter, split_header
from worker.engines.analysis.reading.json_rows import looks_like_json, read_json_rows
from worker.engines.analysis.reading.notes import Notes, ReadResult
from worker.engines.analysis.reading.records import Record, read_records, split_swallowed
from worker.engines.analysis.table import Table
from worker.engines.analysis.wording import plural

_MAX_COLUMNS = 2_000


def read_table(name: str, data: bytes, options: ReadOptions | None = None) -> ReadResult:
    """Read CSV (any common dialect and encoding) or JSON rows.

    Raises :class:`AnalysisError` (`dataset_unreadable`, `dataset_too_large`, or `analysis_invalid` when an
    override does not fit). Faulty rows and cells are problems in the result, by line.
    """
    options = options or ReadOptions()
    notes = Notes()
    text = decode(data, options.encoding, notes)
    if options.delimiter is None and looks_like_json(text):
        names, rows, lines = read_json_rows(text, notes)
        names = column_names(names, notes)
        european = False
    else:
        names, rows, lines, delimiter = _delimited(text, options, notes)
        european = delimiter == ";"
    if not names or not rows:
        raise AnalysisError(UNREADABLE, "the dataset has no rows of data")
    if len(names) > _MAX_COLUMNS:
        raise AnalysisError(UNREADABLE, f"the dataset has more than {_MAX_COLUMNS} columns")
    for column in options.types:
        if column not in names:
            raise invalid(f"preferences.analysis.read.types.{column}", f"no such column; there are {', '.join(names)}")
    by_column = list(zip(*rows, strict=True))
    columns = ColumnBuilder(options, lines, notes, european=european).build(names, by_column)
    kinds = ", ".join(f"{column.name} {column.type}" for column in columns)
    notes.decide(f"column types: {kinds}", "every value present fits, but for cells named as problems")
    notes.problems.sort(key=lambda problem: (problem.line, problem.column or ""))
    table = Table(name, columns, len(rows), hashlib.sha256(data).hexdigest())
    return ReadResult(table, tuple(notes.problems), tuple(notes.decisions))


def _delimited(text: str, options: ReadOptions, notes: Notes) -> tuple[list[str], list[list[str]], list[int], str]:
    delimiter = options.delimiter or sniff_delimiter(text, notes)
    records = read_records(text, delimiter, notes)
    while records and records[-1].blank:
        records.pop()
    if not any(not record.blank for record in records):
        raise AnalysisError(UNREADABLE, "the dataset has no rows of data")
    names, body = split_header(records, options.header, notes)
    body = split_swallowed(text, delimiter, body, len(names), notes)
    names, body = _without_empty_end(names, body, notes)
    rows, lines = _rectangle(names, body, notes)
    return names, rows, lines, delimiter


def _without_empty_end(names: list[str], body: list[Record], notes: Notes) -> tuple[list[str], list[Record]]:
    """Without the empty last column that a delimiter at the end of every line makes."""
    last = len(names) - 1
    if last > 0 and names[last] == f"column_{last + 1}" and all(not "".join(r.fields[last:]).strip() for r in body):
        notes.decide(f"column {last + 1} is left out", "it has no name and no value")
        return names[:last], [Record(r.line, r.fields[:last], r.last) for r in body]
    return names, body


def _rectangle(names: Sequence[str], body: Sequence[Record], notes: Notes) -> tuple[list[list[str]], list[int]]:
    """The rows that fit the header; the others are reported by line."""
    width = len(names)
    rows: list[list[str]] = []
    lines: list[int] = []
    blank = 0
    for record in body:
        fields = record.fields
        if record.blank and width > 1:
            blank += 1
            continue
        if len(fields) > width and not "".join(fields[width:]).strip():
            fields = fields[:width]
        if width == 1 and not fields:
            fields = [""]
        if len(fields) != width:
            notes.problem(
                record.line, f"has {plural(len(fields), 'field')} where the header has {width}", "row left out"
            )
            continue
        rows.append(fields)
        lines.append(record.line)
    if blank:
        notes.decide(f"{blank} blank row(s) left out", "no field holds anything")
    return rows, lines
