"""Workbooks (xlsx, xlsm, xlsb, ods, xls): one sheet's cells as text, dates in ISO 8601, doubles as short as exact."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from html import unescape
from typing import TYPE_CHECKING

from worker.engines.analysis.errors import TOO_LARGE, UNREADABLE, AnalysisError, invalid
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.overrides import PATH, ReadOptions, column_letters, column_number
from worker.engines.analysis.reading.raw import Written
from worker.engines.analysis.reading.records import MAX_CELLS, Record
from worker.engines.analysis.wording import listed

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_CHUNK = 1 << 20
_LOOKED_INTO = 4 << 20
"""Bytes of a workbook up to which the other sheets are looked into as well."""
_MOST_SHEETS, _FIRST_ROWS = 12, 5
_REFERENCE = re.compile(rb'<(?:\w+:)?c\s+(?:[^<>]*?\s)?r="([A-Z]{1,3})([0-9]{1,7})"')
_NO_VALUE = re.compile(
    rb'<c\s+(?:[^<>]*?\s)?r="([A-Z]{1,3}[0-9]{1,7})"[^<>]*><f(?:\s[^<>]*)?(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>'
)
_WHOLE = 2**63
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_Cell = int | float | str | bool | time | date | datetime | timedelta | None


def read_sheet(data: bytes, options: ReadOptions, notes: Notes) -> list[Record]:
    """The rows of one sheet as records; lines are the sheet's rows from 1.

    `options.sheet` says which (a name, or a number from 1), else the visible sheet with the first table; the others are
    named as alternatives. `options.range` takes a part of it. Raises :class:`AnalysisError`.
    """
    try:
        return _read(data, options, notes)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, LookupError, ValueError, RuntimeError) as error:
        raise AnalysisError(UNREADABLE, f"the workbook is damaged: {error}") from None
    except BaseException as error:
        # A panic of native code is no Exception; it is the file's fault, and nothing of the process is harmed.
        if type(error).__name__ != "PanicException":
            raise
        raise AnalysisError(UNREADABLE, "the workbook is damaged") from None


def _check_compound(data: bytes) -> None:
    """Refuse an old workbook whose header's figures cannot be true ([MS-CFB] 2.2): a reader reserves what they say."""
    if not data.startswith(_COMPOUND):
        return
    shift, mini = int.from_bytes(data[30:32], "little"), int.from_bytes(data[32:34], "little")
    sectors = [int.from_bytes(data[place : place + 4], "little") for place in (40, 44, 64, 72)]
    if shift not in (9, 12) or mini != 6 or len(data) < 1 << shift or max(sectors) > (len(data) >> shift) + 1:
        raise AnalysisError(UNREADABLE, "the workbook is damaged: its header does not fit its size")


def _read(data: bytes, options: ReadOptions, notes: Notes) -> list[Record]:
    import python_calamine as calamine

    _check_compound(data)
    places = _places(data)
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError:
        raise AnalysisError(UNREADABLE, "the workbook is protected by a password") from None
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise AnalysisError(UNREADABLE, f"the workbook is damaged or none: {error}") from None
    with workbook:
        name, sheet = _choose(workbook, places, data, options, notes)
        if sheet.start is None:
            raise AnalysisError(UNREADABLE, f"the sheet {name!r} has no rows of data")
        top, left = sheet.start[0] + 1, sheet.start[1] + 1
        rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=True)]
        merged = _merged(sheet)
    _fill_merged(rows, merged, top - 1, left - 1, notes)
    if name in places:
        _name_lost_formulas(data, places[name], notes)
    if options.range is not None:
        rows, top = _part(rows, options.range, top, left)
        notes.decide("a part of the sheet is read", "asked for in the request")
    records = [Record(top + i, row, top + i) for i, row in enumerate(rows) if top + i > options.skip_lines]
    return _first_block(records, left, options, notes)


def _places(data: bytes) -> dict[str, str]:
    """The member of the file that holds each sheet, by the sheet's name; nothing for other than xlsx."""
    if not data.startswith(b"PK"):
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return {}
        book = archive.read("xl/workbook.xml").decode("utf-8", errors="replace")
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", errors="replace")
    targets: dict[str, str] = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship\s[^>]*>", relations):
        found = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        target = found.get("Target", "")
        targets[found.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    places: dict[str, str] = {}
    for tag in re.findall(r"<(?:\w+:)?sheet\s[^>]*>", book):
        found = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
        member = targets.get(next((value for key, value in found.items() if key.endswith(":id")), ""))
        if member in names:
            places[unescape(found.get("name", ""))] = str(member)
    return places


def _check_size(data: bytes, member: str) -> None:
    """Refuse a sheet whose cells span too much: a reader lays out the whole rectangle, however few cells are filled."""
    columns = rows = 0
    tail = b""
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(member) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                block = tail + chunk
                for letters, row in _REFERENCE.findall(block):
                    rows = max(rows, int(row))
                    columns = max(columns, column_number(letters.decode()))
                tail = block[-100:]
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
            raise AnalysisError(UNREADABLE, f"the workbook is damaged: {error}") from None
    if rows * columns > MAX_CELLS:
        raise AnalysisError(TOO_LARGE, f"the sheet spans {rows:,} rows × {columns:,} columns, over {MAX_CELLS:,} cells")


def _choose(
    workbook: CalamineWorkbook, places: dict[str, str], data: bytes, options: ReadOptions, notes: Notes
) -> tuple[str, CalamineSheet]:
    """The sheet to read and its name."""
    from python_calamine import CalamineError, SheetTypeEnum, SheetVisibleEnum

    names = workbook.sheet_names

    def load(name: str) -> CalamineSheet:
        if name in places:
            _check_size(data, places[name])
        try:
            return workbook.get_sheet_by_name(name)
        except (CalamineError, OSError, ValueError) as error:
            raise AnalysisError(UNREADABLE, f"the sheet {name!r} cannot be read: {error}") from None

    if options.sheet is not None:
        name = _asked(options.sheet, names)
        notes.decide(f"the sheet {name!r} is read", "asked for in the request")
        return name, load(name)
    sheets = [m for m in workbook.sheets_metadata if m.typ is SheetTypeEnum.WorkSheet]
    seen = [m.name for m in sheets if m.visible is SheetVisibleEnum.Visible] or [m.name for m in sheets] or names
    for name in seen:
        sheet = load(name)
        if sheet.height > 1:
            break
    else:
        raise AnalysisError(UNREADABLE, "no sheet of the workbook has rows of data")
    others = [f"sheet {other!r}{_names_in(workbook, other, places, data)}" for other in names if other != name]
    if others:
        reason = "it is the first that can be seen and has a table"
        notes.decide(f"the sheet {name!r} is read", reason, *others, override="sheet")
    if sheet.width * sheet.height > MAX_CELLS:
        raise AnalysisError(TOO_LARGE, f"the sheet {name!r} has more than {MAX_CELLS:,} cells")
    return name, sheet


def _names_in(workbook: CalamineWorkbook, name: str, places: dict[str, str], data: bytes) -> str:
    """The likely names of another sheet's columns, in brackets; "" where looking would take long."""
    from python_calamine import CalamineError

    if len(data) > _LOOKED_INTO or len(workbook.sheet_names) > _MOST_SHEETS:
        return ""
    try:
        if name in places:
            _check_size(data, places[name])
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=True, nrows=_FIRST_ROWS)
    except (AnalysisError, CalamineError, OSError, ValueError):
        return ""
    texts = [[cell.strip() for cell in row if isinstance(cell, str) and cell.strip()] for row in rows]
    best = max(texts, key=len, default=[])
    return f" ({listed(best, 20)})" if best else ""


def _asked(sheet: str | int, names: Sequence[str]) -> str:
    if isinstance(sheet, int) and sheet <= len(names):
        return names[sheet - 1]
    if isinstance(sheet, str) and sheet in names:
        return sheet
    raise invalid(f"{PATH}.sheet", f"no such sheet; there are {listed([repr(name) for name in names], 20)}")


def _text(cell: _Cell) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _WHOLE else Written(repr(cell))
    if isinstance(cell, datetime | time):
        return cell.isoformat().rstrip("0").rstrip(".") if cell.microsecond else cell.isoformat()
    if isinstance(cell, timedelta):
        return repr(cell.total_seconds() / 3600) + " h"
    return cell.isoformat() if isinstance(cell, date) else str(cell)


_Area = tuple[tuple[int, int], tuple[int, int]]


def _merged(sheet: CalamineSheet) -> list[_Area]:
    return list(sheet.merged_cell_ranges or ())


def _fill_merged(rows: list[list[str]], areas: Sequence[_Area], top: int, left: int, notes: Notes) -> None:
    """Cells merged over several rows hold their text in each of them; a number is not repeated, for it would count
    again. Cells merged sideways are for the header to understand."""
    filled = 0
    for (first, column), (last, _) in areas:
        if last == first or not 0 <= first - top < len(rows) or not 0 <= column - left < len(rows[0]):
            continue
        text = rows[first - top][column - left]
        if not text or text[0].isdigit() or text[0] in "-+." or first - top == 0:
            continue
        for row in range(first - top + 1, min(last - top + 1, len(rows))):
            rows[row][column - left] = text
        filled += 1
    if filled:
        notes.decide(f"{filled} merged cell(s) hold their text in every row", "they stand beside all of them")


def _name_lost_formulas(data: bytes, member: str, notes: Notes) -> None:
    """Name formulas that the workbook holds no value of: nothing here computes them."""
    tail = b""
    seen: set[bytes] = set()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            block = tail + chunk
            for cell in _NO_VALUE.findall(block):
                if cell not in seen:
                    seen.add(cell)
                    row = int(re.sub(rb"[A-Z]", b"", cell))
                    issue = f"cell {cell.decode()} holds a formula without its value; nothing here computes it"
                    notes.problem(row, issue, "cell read as missing")
            tail = block[-2000:]


def _part(rows: list[list[str]], wanted: tuple[int, int, int, int], top: int, left: int) -> tuple[list[list[str]], int]:
    first, begin, last, end = wanted
    kept = [row[max(0, begin - left) : max(0, end - left + 1)] for row in rows[max(0, first - top) : last - top + 1]]
    if not kept or not kept[0]:
        raise invalid(f"{PATH}.range", "the sheet has no cells there")
    return kept, max(first, top)


def _first_block(records: list[Record], left: int, options: ReadOptions, notes: Notes) -> list[Record]:
    """Of tables side by side, parted by columns that are blank throughout, the one with the most cells; trailing blank
    columns are cut off."""
    width = max((len(record.fields) for record in records), default=0)
    used = [sum(bool(record.fields[i].strip()) for record in records if i < len(record.fields)) for i in range(width)]
    blocks: list[tuple[int, int]] = []
    for i, count in enumerate(used):
        if count and blocks and blocks[-1][1] == i:
            blocks[-1] = (blocks[-1][0], i + 1)
        elif count:
            blocks.append((i, i + 1))
    if not blocks:
        return records
    several = [block for block in blocks if block[1] - block[0] > 1 and sum(used[block[0] : block[1]]) > 3]
    if options.range is not None or len(several) < 2:
        begin, end = blocks[0][0], blocks[-1][1]
    else:
        begin, end = max(several, key=lambda block: (sum(used[block[0] : block[1]]), -block[0]))
        others = [f"columns {_letters(block, left)}" for block in blocks if block != (begin, end)]
        reason = "blank columns part it from others, and it has the most cells"
        notes.decide(f"the table in columns {_letters((begin, end), left)}", reason, *others, override="range")
    return [Record(record.line, record.fields[begin:end], record.last) for record in records]


def _letters(block: tuple[int, int], left: int) -> str:
    return f"{column_letters(block[0] + left)}:{column_letters(block[1] - 1 + left)}"
