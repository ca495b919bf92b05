"""Comma- and tab-separated files and workbooks: datasets, whose text is the table itself."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

import python_calamine

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.archive import check_archive
from services.library.parsing.document import (
    Kind,
    ParsedDocument,
    ParseLimits,
    assemble,
    beginning,
    table_text,
)
from services.library.parsing.encoding import declared_charset, decode
from services.library.parsing.facts import title_from_filename
from services.library.parsing.plain import require_text

_DELIMITERS = ",;\t|"
_CHECKED_ROWS = 200_000
_SAMPLE_LINES = 50
_Cell = int | float | str | bool | time | date | datetime | timedelta | None


def parse_csv(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A separated file with any of the usual delimiters; irregular rows are reported, not repaired."""
    return _separated(Kind.CSV, data, filename, content_type, limits)


def parse_tsv(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A tab-separated file."""
    return _separated(Kind.TSV, data, filename, content_type, limits)


def _separated(kind: Kind, data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    head = beginning(data, limits)
    raw, problems = decode(head, declared_charset(content_type))
    text, told = table_text(raw, limits, cut=len(head) < len(data))
    problems += told
    require_text(text)
    delimiter = "\t" if kind is Kind.TSV else sniff_delimiter(text)
    return ParsedDocument(
        title_from_filename(filename),
        kind,
        text,
        problems=problems + _irregular_rows(text, delimiter),
        is_dataset=True,
    )


def sniff_delimiter(text: str) -> str:
    """The delimiter that cuts the first lines into the most columns, equally; a comma when none does."""
    lines = [line for line in text[:65536].split("\n")[:_SAMPLE_LINES] if line.strip()]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            continue
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        score = (usual - 1) * widths.count(usual) / max(1, len(widths))
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _irregular_rows(text: str, delimiter: str) -> tuple[str, ...]:
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                widths.append(len(row))
            if len(widths) >= _CHECKED_ROWS:
                break
    except csv.Error as error:
        return (f"Row {len(widths) + 1} is not well-formed CSV: {error}.",)
    usual = max(set(widths), key=widths.count)
    odd = [number for number, width in enumerate(widths, start=1) if width != usual]
    if not odd:
        return ()
    have = "has" if len(odd) == 1 else "have"
    under = " under the header" if widths[0] == usual else ""
    rows = len(widths) - (1 if under else 0)
    return (f"{len(odd)} of {rows} rows{under} {have} not the usual {usual} cells; the first is on row {odd[0]}.",)


def parse_xlsx(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """An Office Open XML workbook; each sheet is a page: its name, then its rows as CSV."""
    check_archive(data, limits)
    return _workbook(Kind.XLSX, data, filename, limits)


def parse_xls(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A legacy binary workbook, read like :func:`parse_xlsx`."""
    return _workbook(Kind.XLS, data, filename, limits)


def _workbook(kind: Kind, data: bytes, filename: str, limits: ParseLimits) -> ParsedDocument:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except python_calamine.PasswordError as error:
        raise DocumentUnreadable(UnreadableCause.ENCRYPTED) from error
    except python_calamine.CalamineError as error:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "It is no readable workbook.") from error
    pages: list[str] = []
    problems: list[str] = []
    cells = 0
    for name in workbook.sheet_names:
        try:
            sheet = workbook.get_sheet_by_name(name)
        except python_calamine.CalamineError:
            problems.append(f"The sheet “{name}” cannot be read.")
            continue
        cells += sheet.width * sheet.height
        if cells > limits.cells:
            raise DocumentUnreadable(UnreadableCause.TOO_LARGE, f"It has more than {limits.cells:,} cells.")
        pages.append(f"{name}\n{_as_csv(sheet.to_python(skip_empty_area=True))}")
    if cells == 0:
        cause = UnreadableCause.CORRUPT if problems else UnreadableCause.EMPTY
        raise DocumentUnreadable(cause, " ".join(problems))
    text, spans = assemble(pages, limits)
    return ParsedDocument(title_from_filename(filename), kind, text, spans, problems=tuple(problems), is_dataset=True)


def _as_csv(rows: Iterable[Iterable[_Cell]]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for row in rows:
        cells = [_written(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        writer.writerow(cells)
    return re.sub(r"\n{3,}", "\n\n", lines.getvalue())


def _written(cell: _Cell) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return "" if cell is None else str(cell)
