"""How a dataset can be read again without the platform: found by reading its beginning plainly and comparing.

The reader's own way from bytes to a table has many turns. A recipe is a short plain way that gives the same cells:
it is tried on the first rows, column by column, and what it does not give is named as such.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from worker.engines.analysis.options import ReadOptions
from worker.engines.analysis.reading.decoding import decode
from worker.engines.analysis.reading.dialect import SAMPLE_CHARACTERS, dialect_of
from worker.engines.analysis.reading.formats import Format, format_of
from worker.engines.analysis.reading.missing import MISSING_AMONG_VALUES, MISSING_ANYWHERE
from worker.engines.analysis.reading.notes import Notes, ReadResult
from worker.engines.analysis.reproduction import plain
from worker.engines.analysis.table import Column, ColumnType

JSON = Any

_SAMPLE = 2_000
_HEAD = 4 * 1024 * 1024
"""Rows, and bytes of a text, that a reading is tried on."""
_MOST_CODES = 20
_MOST_SPELLINGS = 40
_MOST_SKIPPED = 2_000
_OFFSETS = range(4)
_MARKS = [(point, mark) for point in ".," for mark in ("", ",", ".", " ", "'") if mark != point]
_NUMBER = re.compile(r"[-+\u2212]?[0-9.,][0-9.,'\u2019\u00a0\u202f\u2009 ]*(?:[eE][-+]?[0-9]+)?")
_DATE_FORMS = (
    "ISO8601", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d", "%d.%m.%y", "%m/%d/%y",
    "%d/%m/%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%Y-%m", "%m/%Y", "%b %Y", "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S",
)  # fmt: skip


def recipe_of_file(path: str, read: ReadResult, options: ReadOptions) -> JSON:
    """:func:`recipe_of` for a file, of which no more is read than needed."""
    with open(path, "rb") as file:
        data = file.read(_HEAD + 1)
        # Packed formats, and JSON that is one value, can only be read as a whole.
        packed = data.startswith((b"PK", b"PAR1", b"\xd0\xcf\x11\xe0")) or data.lstrip()[:1] in (b"[", b"{")
        whole = len(data) <= _HEAD or packed
        data = data + file.read() if packed else data
    return recipe_of(data, read, options, whole=whole)


def recipe_of(data: bytes, read: ReadResult, options: ReadOptions, *, whole: bool = True) -> JSON:
    """``{reader, arguments, columns: [{name, position, converter, arguments}]}``; `reader` is None where nothing plain
    reads this file (`reason` says why), a column's `converter` None where nothing plain gives its values."""
    skip = [p.line for p in read.problems if p.effect in ("row left out", "line left out")][:_MOST_SKIPPED]
    reason = "its cells are spelled or placed in ways that take more than a plain reader"
    try:
        for reader, arguments, rows, names in _readings(data, read, options, skip):
            columns = _columns(rows, names, read, options, whole=whole)
            # A wrong reading shows in most columns; the odd column that no converter fits is left to itself.
            if columns and sum(column["converter"] is not None for column in columns) * 2 > len(columns):
                return {"reader": reader, "arguments": arguments, "columns": columns}
    except Exception as error:
        # A recipe is an extra: what a parser makes of odd bytes must not cost the session its result.
        reason = f"the plain reader of its format fails on it: {type(error).__name__}"
    columns = [
        {"name": column.name, "position": -1, "converter": None, "arguments": {}} for column in read.table.columns
    ]
    return {"reader": None, "arguments": {}, "columns": columns, "reason": reason}


Reading = tuple[str, dict[str, JSON], list[list[str]], Sequence[str]]


def _readings(data: bytes, read: ReadResult, options: ReadOptions, skip: list[int]) -> Iterator[Reading]:
    """Plain readings to try, each with the first rows it gives and the names of their fields."""
    form = format_of(data, options.format)
    if form is Format.PARQUET:
        yield "parquet_rows", {}, plain.parquet_rows(data, most=_SAMPLE), read.table.names()
    elif form in (Format.XLSX, Format.XLS):
        yield from _sheets(data, read, options, skip)
    else:
        yield from _texts(data, read, options, skip)


def _texts(data: bytes, read: ReadResult, options: ReadOptions, skip: list[int]) -> Iterator[Reading]:
    # A text that is cut ends with its last whole line.
    head = data if len(data) <= _HEAD else data[: data.rfind(b"\n", 0, _HEAD) + 1]
    text, encoding = decode(head, options.encoding, Notes())
    if options.delimiter is None and text.lstrip()[:1] in ("[", "{"):
        arguments: dict[str, JSON] = {"names": read.table.names(), "place": options.records or "", "skip": skip}
        yield "json_rows", arguments, plain.json_rows(data, **arguments)[:_SAMPLE], read.table.names()
        return
    dialect = dialect_of(text[:SAMPLE_CHARACTERS], encoding, options, Notes())
    arguments = {
        "encoding": encoding,
        "delimiter": dialect.delimiter,
        "quote": dialect.syntax.quote,
        "escape": dialect.syntax.escape,
        "comment": dialect.syntax.comment,
        "first_line": dialect.body_line,
        "width": len(dialect.names),
        "skip": skip,
    }
    yield "delimited_rows", arguments, plain.delimited_rows(head, **arguments, most=_SAMPLE), dialect.names


def _sheets(data: bytes, read: ReadResult, options: ReadOptions, skip: list[int]) -> Iterator[Reading]:
    from python_calamine import CalamineWorkbook

    from worker.engines.analysis.reading.layout import find_layout
    from worker.engines.analysis.reading.workbooks import read_sheet

    layout = find_layout(read_sheet(data, options, Notes()), options, Notes())
    for sheet in CalamineWorkbook.from_filelike(io.BytesIO(data)).sheet_names:
        for left in _OFFSETS:
            arguments: dict[str, JSON] = {
                "sheet": sheet, "first_row": layout.body_line, "left": left, "width": len(layout.names), "skip": skip,
            }  # fmt: skip
            yield "sheet_rows", arguments, plain.sheet_rows(data, **arguments)[:_SAMPLE], layout.names


def _columns(
    rows: list[list[str]], names: Sequence[str], read: ReadResult, options: ReadOptions, *, whole: bool
) -> list[JSON]:
    table = read.table
    if not rows or {len(row) for row in rows} != {len(names)}:
        return []
    if whole and len(rows) < _SAMPLE and len(rows) != table.rows:
        return []
    places = {name: place for place, name in enumerate(names)}
    found = []
    for column in table.columns:
        place = places.get(column.name, -1)
        made = None
        if place >= 0:
            cells = [row[place] for row in rows]
            made = _converter(column, cells, sorted({*options.missing, *options.missing_in.get(column.name, ())}))
        name, arguments = made or (None, {})
        found.append({"name": column.name, "position": place, "converter": name, "arguments": arguments})
    return found


def _converter(column: Column, cells: Sequence[str], codes: Sequence[str]) -> tuple[str, dict[str, JSON]] | None:
    asked = [code.strip().lower() for code in codes]
    if column.numeric:
        return _number(column, cells, asked)
    if column.type is ColumnType.DATE:
        return _date(column, cells, asked)
    return _words(column, cells, asked)


def _missing(cells: Sequence[str], lost: Sequence[bool], asked: Sequence[str], usual: frozenset[str]) -> list[str]:
    """Codes for a missing value: those asked for, and those that occur."""
    seen = {cell.strip().lower() for cell, gone in zip(cells, lost, strict=True) if gone}
    return sorted({"", *asked, *(usual if len(seen & usual) else ()), *seen}) if len(seen) <= _MOST_CODES else []


def _number(column: Column, cells: Sequence[str], asked: Sequence[str]) -> tuple[str, dict[str, JSON]] | None:
    wanted = column.floats()[: len(cells)]
    first = next((cell.strip() for cell, value in zip(cells, wanted.tolist(), strict=True) if value == value), "")
    match = _NUMBER.search(first)
    if match is None:
        return None
    before, after = first[: match.start()].strip(), first[match.end() :].strip()
    missing = _missing(cells, np.isnan(wanted).tolist(), asked, MISSING_AMONG_VALUES)
    for decimal, thousands in _MARKS:
        arguments: dict[str, JSON] = {"decimal": decimal, "thousands": thousands, "before": before, "after": after}
        arguments["missing"] = missing or ["", *asked]
        if np.array_equal(plain.numbers(cells, **arguments), wanted, equal_nan=True):
            return "numbers", {key: value for key, value in arguments.items() if value not in ("", [])}
    return None


def _date(column: Column, cells: Sequence[str], asked: Sequence[str]) -> tuple[str, dict[str, JSON]] | None:
    wanted = column.days()[: len(cells)]
    missing = _missing(cells, np.isnan(wanted).tolist(), asked, MISSING_AMONG_VALUES) or ["", *asked]
    for form in _DATE_FORMS:
        found = plain.dates(cells, form=form, missing=missing)
        if np.allclose(found, wanted, rtol=0, atol=1e-6, equal_nan=True):
            return "dates", {"form": form, "missing": missing}
    return None


def _words(column: Column, cells: Sequence[str], asked: Sequence[str]) -> tuple[str, dict[str, JSON]] | None:
    codes, levels = column.codes()
    wanted = [None if code < 0 else levels[code] for code in codes[: len(cells)].tolist()]
    usual = MISSING_ANYWHERE if column.type is not ColumnType.BOOLEAN else MISSING_AMONG_VALUES
    missing = _missing(cells, [value is None for value in wanted], asked, usual) or ["", *asked]
    meaning: Mapping[str, str] = {
        cell.strip(): value
        for cell, value in zip(cells, wanted, strict=True)
        if value is not None and cell.strip() != value
    }
    if len(meaning) > _MOST_SPELLINGS or plain.words(cells, missing=missing, meaning=meaning).tolist() != wanted:
        return None
    return "words", {"missing": missing, **({"meaning": dict(sorted(meaning.items()))} if meaning else {})}
