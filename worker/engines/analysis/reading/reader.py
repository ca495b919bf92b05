"""The way from bytes to a typed table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from worker.engines.analysis.errors import UNREADABLE, AnalysisError, invalid
from worker.engines.analysis.reading.columns import ColumnBuilder
from worker.engines.analysis.reading.decoding import decode
from worker.engines.analysis.reading.dialect import dialect_of
from worker.engines.analysis.reading.formats import Format, format_of
from worker.engines.analysis.reading.json_rows import load_json, read_json_rows
from worker.engines.analysis.reading.layout import column_names, find_layout
from worker.engines.analysis.reading.notes import Notes, ReadResult
from worker.engines.analysis.reading.overrides import PATH, ReadOptions, decisions_asked
from worker.engines.analysis.reading.parquet import read_parquet
from worker.engines.analysis.reading.raw import RawTable
from worker.engines.analysis.reading.records import Record, lines_of, read_records, split_swallowed
from worker.engines.analysis.reading.rectangle import rectangle
from worker.engines.analysis.reading.workbooks import read_sheet
from worker.engines.analysis.table import Table
from worker.engines.analysis.wording import listed

_MAX_COLUMNS = 2_000


def read_table(name: str, data: bytes, options: ReadOptions | None = None) -> ReadResult:
    """Read a dataset in any of the formats, by what its bytes are, keeping every digit.

    Raises :class:`AnalysisError` (`dataset_unreadable`, `dataset_too_large`, or `analysis_invalid` when an
    override does not fit). Faulty rows and cells are problems in the result, by line.
    """
    options = options or ReadOptions()
    notes = Notes()
    raw = read_raw(data, options, notes)
    if not raw.names or not raw.lines:
        raise AnalysisError(UNREADABLE, "the dataset has no rows of data")
    if len(raw.names) > _MAX_COLUMNS:
        raise AnalysisError(UNREADABLE, f"the dataset has more than {_MAX_COLUMNS} columns")
    check_names(raw.names, options)
    _tell_asked(data, options, notes)
    _tell_idle(data, options, notes)
    raw = _selected(raw, options, notes)
    columns = ColumnBuilder(options, raw, notes).build()
    kinds = ", ".join(f"{column.name} {column.type}" for column in columns)
    notes.decide(
        f"column types: {kinds}", "every value present fits, but for cells named as problems", override="types"
    )
    notes.problems.sort(key=lambda problem: (problem.line, problem.column or ""))
    table = Table(name, columns, len(raw.lines), hashlib.sha256(data).hexdigest())
    return ReadResult(table, tuple(notes.problems), tuple(notes.decisions))


def read_raw(data: bytes, options: ReadOptions, notes: Notes) -> RawTable:
    """The text cells of a dataset. Raises :class:`AnalysisError`."""
    form = format_of(data, options.format)
    if form is Format.PARQUET:
        found = read_parquet(data, notes)
        names = column_names([column.name for column in found], notes)
        units = {name: column.unit for name, column in zip(names, found, strict=True) if column.unit}
        declared = {name: column.declared for name, column in zip(names, found, strict=True) if column.declared}
        lines = range(1, (len(found[0].cells) if found else 0) + 1)
        return RawTable(names, [column.cells for column in found], lines, units, declared)
    if form in (Format.XLSX, Format.XLS):
        records = read_sheet(data, options, notes)
        layout = find_layout(records, options, notes)
        body = [record for record in records if record.line >= layout.body_line]
        return _raw(layout.names, layout.units, body, options, notes)
    text, encoding = decode(data, options.encoding, notes)
    if form is Format.JSON or (
        options.format is None and options.delimiter is None and text.lstrip()[:1] in ("[", "{")
    ):
        asked = options.format in ("json", "jsonl") or options.records is not None
        if options.delimiter is None and (loaded := load_json(text, only_json=asked)) is not None:
            names, rows, numbers = read_json_rows(*loaded, options, notes)
            return RawTable(column_names(names, notes), list(zip(*rows, strict=True)), numbers)
    return _delimited(text, encoding, options, notes)


def check_names(names: Sequence[str], options: ReadOptions) -> None:
    """Raises :class:`AnalysisError` when an override names a column that is not there."""
    fields = {
        "types": options.types,
        "missing": options.missing_in,
        "dates": options.dates,
        "units": options.units,
        "columns": dict.fromkeys(options.columns, ""),
    }
    for key, given in fields.items():
        for column in given:
            if column not in names and column != "*":
                raise invalid(f"{PATH}.{key}.{column}", f"no such column; there are {listed(names, 40)}")


def _tell_asked(data: bytes, options: ReadOptions, notes: Notes) -> None:
    form = format_of(data, options.format)
    unsaid = options.format is None and options.delimiter is None
    json = form is Format.JSON or (unsaid and data[:4096].lstrip()[:1] in (b"[", b"{"))
    delimited = form is Format.CSV and not json
    for said in decisions_asked(options, delimited=delimited, table=delimited or form in (Format.XLSX, Format.XLS)):
        notes.decide(said, "asked for in the request")


def _tell_idle(data: bytes, options: ReadOptions, notes: Notes) -> None:
    """Say which fields of the request mean nothing to this format; they may be meant for another dataset."""
    form = format_of(data, options.format)
    sheet = form in (Format.XLSX, Format.XLS)
    text = form in (Format.CSV, Format.JSON)
    idle = {
        "sheet": options.sheet is not None and not sheet,
        "range": options.range is not None and not sheet,
        "records": options.records is not None and not text,
        "encoding": options.encoding is not None and not text,
        "delimiter": options.delimiter is not None and not text,
        "quote": options.quote is not None and not text,
        "comment": options.comment is not None and not text,
    }
    if named := [f"read.{key}" for key, found in idle.items() if found]:
        notes.decide(f"{listed(named)} not used", "a dataset of this format has no such thing")


def _selected(raw: RawTable, options: ReadOptions, notes: Notes) -> RawTable:
    if not options.columns:
        return raw
    kept = [i for i, name in enumerate(raw.names) if name in options.columns]
    left = [name for name in raw.names if name not in options.columns]
    if left:
        notes.decide(f"columns left out: {listed(left)}", "asked for in the request")
    names = [raw.names[i] for i in kept]
    return RawTable(names, [raw.columns[i] for i in kept], raw.lines, raw.units, raw.declared, raw.european)


def _delimited(text: str, encoding: str, options: ReadOptions, notes: Notes) -> RawTable:
    dialect = dialect_of(text, encoding, options, notes)
    lines = lines_of(text)
    records = read_records(lines, dialect.syntax, notes)
    while records and records[-1].blank:
        records.pop()
    body = [record for record in records if record.line >= dialect.body_line]
    body = split_swallowed(lines, dialect.syntax, body, len(dialect.names), notes)
    european = dialect.delimiter == ";"
    return _raw(dialect.names, dialect.layout.units, body, options, notes, european=european)


def _raw(
    names: Sequence[str],
    units: Sequence[str],
    body: Sequence[Record],
    options: ReadOptions,
    notes: Notes,
    *,
    european: bool = False,
) -> RawTable:
    kept, rows, lines = rectangle(names, body, options, notes)
    by_name = {name: unit for name, unit in zip(names, units, strict=True) if unit}
    return RawTable(kept, list(zip(*rows, strict=True)), lines, by_name, {}, european)
