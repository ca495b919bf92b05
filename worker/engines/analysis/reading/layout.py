"""What the rows of a sheet or a delimited file are: lines above the table, names, units, data, notes under it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import median_low

from worker.engines.analysis.errors import UNREADABLE, AnalysisError, invalid
from worker.engines.analysis.reading.cells import PLAIN, canonical_number, looks_typed
from worker.engines.analysis.reading.delimiters import table_part, usual_width
from worker.engines.analysis.reading.missing import MISSING_AMONG_VALUES
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.overrides import PATH, ReadOptions
from worker.engines.analysis.reading.records import Record
from worker.engines.analysis.reading.units import unit_of_cell

_SAMPLE_RECORDS = 500
_PREAMBLE = 50
_LONGEST_UNIT = 16
_YEAR = re.compile(r"(1[5-9]|20|21)[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the table is. `units` has one entry a name ("" where none is said); `header_line` is 0 without a header."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    header_line: int
    body_line: int


def find_layout(
    records: Sequence[Record], options: ReadOptions, notes: Notes, *, comments: Sequence[Record] = ()
) -> Layout:
    """The layout, from a sample of the records that begins with the first.

    Lines above the header are named as problems. Raises :class:`AnalysisError` where no record holds anything or the
    request's header line is none.
    """
    filled = [record for record in records if not record.blank][:_SAMPLE_RECORDS]
    if not filled:
        raise AnalysisError(UNREADABLE, "the dataset has no rows of data")
    if options.header_lines:
        return _as_asked(filled, options, notes)
    begin, end = table_part([record.fields for record in filled])
    part = filled[begin:end]
    width = usual_width([record.fields for record in part])
    if (layout := _row_names(filled, width, options, notes)) is not None:
        return layout
    first = filled.index(_head(part, width))
    body = filled[first + 1 :]
    head = filled[first]
    has_header = options.header
    if has_header is None:
        told = Notes() if _names_in_comment(comments, head) else notes
        blanks = not all(cell.strip() for cell in head.fields)
        has_header = (blanks and bool(body) and _second_header(head.fields, body, width)) or _is_header(
            head.fields, [record.fields for record in body], told
        )
    if not has_header:
        return _without_header(filled, first, comments, options, notes)
    above, heads = first, [head]
    if first and _upper_names(filled[first - 1], head, width):
        above, heads = first - 1, [filled[first - 1], head]
    if body and not options.units_row and _second_header(head.fields, body, width):
        heads.append(body.pop(0))
    if len(heads) > 1:
        lines = ", ".join(str(each.line) for each in heads)
        notes.decide(f"the header is on lines {lines}", "names stand over names", "one line", override="header")
    elif first:
        notes.decide(
            f"the header is on line {head.line}", "the lines above it have fewer fields", "none", override="header"
        )
    _above(filled[:above], notes)
    units = _unit_row(body, width, options, notes)
    names = column_names(joined_names([each.fields for each in heads]), notes)
    last = body[0] if units else heads[-1]
    return Layout(tuple(names), tuple(units or [""] * len(names)), heads[0].line, max(last.line, last.last) + 1)


def _as_asked(filled: Sequence[Record], options: ReadOptions, notes: Notes) -> Layout:
    heads = [record for record in filled if record.line in options.header_lines]
    if len(heads) != len(options.header_lines):
        raise invalid(f"{PATH}.header", "names a line that holds no row of the dataset's beginning")
    notes.decide(f"the header is on line {', '.join(map(str, options.header_lines))}", "asked for in the request")
    _above([record for record in filled if record.line < heads[0].line], notes)
    names = joined_names([each.fields for each in heads])
    body = [record for record in filled if record.line > heads[-1].line]
    units = _unit_row(body, len(names), options, notes)
    last = body[0] if units else heads[-1]
    unique = tuple(column_names(names, notes))
    return Layout(unique, tuple(units or [""] * len(names)), heads[0].line, max(last.line, last.last) + 1)


def _row_names(filled: Sequence[Record], width: int, options: ReadOptions, notes: Notes) -> Layout | None:
    """The layout where the header has one name less than the rows have fields."""
    head = filled[0]
    short = width >= 3 and len(head.fields) == width - 1 and len(filled) > 1 and options.header is not False
    if not short or not all(cell.strip() and not looks_typed(cell) for cell in head.fields):
        return None
    if all(not record.fields[-1].strip() for record in filled[1:] if len(record.fields) == width):
        names = [*head.fields, ""]
    else:
        names = ["row", *head.fields]
        notes.decide("first column named row", "the header has one name less than the rows have fields")
    return Layout(tuple(column_names(names, notes)), ("",) * width, head.line, max(head.line, head.last) + 1)


def _without_header(
    filled: Sequence[Record], first: int, comments: Sequence[Record], options: ReadOptions, notes: Notes
) -> Layout:
    head = filled[first]
    _above(filled[:first], notes)
    width = len(head.fields)
    told = _names_in_comment(comments, head)
    if told is not None and options.header is None:
        notes.decide(
            f"the header is the comment on line {told.line}", "it has as many names", "no header", override="header"
        )
        return Layout(tuple(column_names(told.fields, notes)), ("",) * width, told.line, head.line)
    names = tuple(f"column_{i + 1}" for i in range(width))
    return Layout(names, ("",) * width, 0, head.line)


def _names_in_comment(comments: Sequence[Record], head: Record) -> Record | None:
    """The last comment above the first row, if it has a word for each of the row's fields."""
    told = comments[-1] if comments and comments[-1].line < head.line else None
    fits = told is not None and len(told.fields) == len(head.fields) > 1 and all(map(_is_word, told.fields))
    return told if fits else None


def _above(records: Sequence[Record], notes: Notes) -> None:
    for record in records:
        text = " ".join(field.strip() for field in record.fields if field.strip())
        notes.problem(record.line, f"a line above the header: {text[:60]!r}", "line left out")


def _filled(record: Record) -> int:
    return sum(bool(field.strip()) for field in record.fields)


def _head(part: Sequence[Record], width: int) -> Record:
    """The first record that fills enough of the table's columns to be its first."""
    regular = [record for record in part if len(record.fields) == width]
    usual = median_low([_filled(record) for record in regular])
    least = min(usual, max(2, math.ceil(0.6 * usual)))
    if regular[0] is part[0] and width == 2 and _corner(regular[0].fields, [record.fields for record in regular[1:]]):
        values = [record.fields[1].strip() for record in regular[1:]]
        if looks_typed(values[0]) or not any(map(looks_typed, values[1:])):  # else these are the names
            return regular[0]
    return next((r for r in regular[:_PREAMBLE] if _filled(r) >= least), regular[0])


def _corner(head: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether only the first cell of a line is blank, and that of no line under it: names over rows with names."""
    rows = [row for row in body if len(row) == len(head)]
    return (
        len(rows) > 1
        and not head[0].strip()
        and all(cell.strip() for cell in head[1:])
        and all(row[0].strip() for row in rows)
    )


def _upper_names(upper: Record, head: Record, width: int) -> bool:
    """Whether the line over the header has names for groups of columns, and not only a title in its first cell."""
    cells = [cell.strip() for cell in upper.fields]
    if len(cells) != width or upper.line < head.line - 1 or not any(cells[1:]):
        return False
    if sum(map(bool, cells)) == 1 and head.fields[cells.index(next(filter(None, cells)))].strip() == "":
        return True
    return sum(map(bool, cells)) >= 2 and all(_is_word(cell) or _YEAR.fullmatch(cell) for cell in cells if cell)


def _is_word(cell: str) -> bool:
    return any(map(str.isalpha, cell)) and not looks_typed(cell)


def _typed_columns(body: Sequence[Record], width: int) -> list[int]:
    rows = [record.fields for record in body[:200] if len(record.fields) == width]
    columns = []
    for i in range(width):
        present = [cell for row in rows if (cell := row[i].strip()) and cell.lower() not in MISSING_AMONG_VALUES]
        if present and sum(map(looks_typed, present)) >= 0.8 * len(present):
            columns.append(i)
    return columns


def _second_header(head: Sequence[str], body: Sequence[Record], width: int) -> bool:
    """Whether the line under the header goes on with names: words over columns of values, twice at least."""
    row, rest = body[0].fields, body[1:]
    if len(row) != width or len(head) != width or len(rest) < 2:
        return False
    typed = _typed_columns(rest, width)
    if all(_unit_cell(cell) for cell in row if cell.strip()) or _units_by_shape(row, typed) is not None:
        return False
    words = [i for i in typed if _is_word(row[i])]
    later = {cell.strip() for record in rest for cell in record.fields}
    goes_on = all(_is_word(row[i]) or (not row[i].strip() and head[i].strip()) for i in range(width))
    fresh = all(row[i].strip() not in later for i in words)
    return goes_on and fresh and (len(words) >= 2 or (len(words) == 1 and not head[words[0]].strip()))


def _unit_cell(cell: str) -> bool:
    return bool(unit_of_cell(cell))


def _unit_row(body: Sequence[Record], width: int, options: ReadOptions, notes: Notes) -> list[str] | None:
    """The units by column, when the first record of the body is a row of units."""
    if not body or options.units_row is False or len(body[0].fields) != width:
        return None
    cells = body[0].fields
    units = [unit_of_cell(cell) for cell in cells]
    if options.units_row:
        notes.decide(f"units are on line {body[0].line}", "asked for in the request")
        return [cell.strip() if unit is None else unit for cell, unit in zip(cells, units, strict=True)]
    typed = _typed_columns(body[1:], width)
    if None in units:
        shaped = _units_by_shape(cells, typed)
        if shaped is None:
            if _might_be_units(cells, typed):
                notes.problem(body[0].line, "looks like a row of units: set read.units_row", "kept")
            return None
        told = ", ".join(sorted({repr(shaped[i]) for i, unit in enumerate(units) if unit is None}))
        notes.decide(
            f"units are on line {body[0].line}",
            f"short words without digits over columns of numbers, most of them known units (not {told})",
            "a row of data",
            override="units_row",
        )
        return shaped
    if not any(units[i] for i in typed) or any(looks_typed(cells[i]) and units[i] for i in typed):
        return None
    if any(units[i] and cells[i].strip().lower() in MISSING_AMONG_VALUES for i in typed):
        return None
    notes.decide(
        f"units are on line {body[0].line}", "they stand over columns of numbers", "a row of data", override="units_row"
    )
    return [unit or "" for unit in units]


def _units_by_shape(cells: Sequence[str], typed: Sequence[int]) -> list[str] | None:
    """The units of a line that has short words without digits over columns of values and nothing elsewhere, most of
    them known units, or half where these are no plain words (as *min* beside *max*, which are names); None for any
    other line."""
    units = [unit_of_cell(cell) for cell in cells]
    if not _shaped(cells, typed) or any(unit != "" for i, unit in enumerate(units) if i not in typed):
        return None
    known = [unit for unit in units if unit]
    unknown, symbols = units.count(None), any(not (unit.isascii() and unit.isalpha()) for unit in known)
    if len(known) < unknown + (not symbols):
        return None
    return [cell.strip() if unit is None else unit for cell, unit in zip(cells, units, strict=True)]


def _might_be_units(cells: Sequence[str], typed: Sequence[int]) -> bool:
    """Whether a line has the shape of units, but holds too few that are known, or words elsewhere."""
    return len([i for i in typed if cells[i].strip()]) >= 2 and _shaped(cells, typed)


def _shaped(cells: Sequence[str], typed: Sequence[int]) -> bool:
    over = [text for i in typed if (text := cells[i].strip()) and unit_of_cell(text) != ""]
    return (
        bool(over)
        and all(
            unit_of_cell(text) is not None
            or (len(text) <= _LONGEST_UNIT and not looks_typed(text) and not any(map(str.isdigit, text)))
            for text in over
        )
        and not any(text.lower() in MISSING_AMONG_VALUES for text in over)
    )


def joined_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names from one or more lines of them. A blank cell in an upper line belongs to the name at its left."""
    width = max(map(len, rows))
    levels: list[list[str]] = []
    for place, row in enumerate(rows):
        cells = [*(cell.strip() for cell in row), *([""] * (width - len(row)))]
        if place < len(rows) - 1:
            below = [[*rows[place + 1], *([""] * width)][i].strip() for i in range(width)]
            for i in range(1, width):
                if not cells[i] and below[i] and below[i - 1] and not any(level[i] != level[i - 1] for level in levels):
                    cells[i] = cells[i - 1]
        levels.append(cells)
    return [" ".join(dict.fromkeys(filter(None, parts))) for parts in zip(*levels, strict=True)]


def _is_header(head: Sequence[str], body: Sequence[Sequence[str]], notes: Notes) -> bool:
    if not body:
        return True
    numbers = [cell.strip() for cell in head if cell.strip() and looks_typed(cell)]
    if not numbers:
        return not _words_throughout(head, body, notes)
    names_above_numbers = False
    for i, cell in enumerate(head):
        below = [row[i] for row in body if i < len(row) and row[i].strip().lower() not in MISSING_AMONG_VALUES]
        typed = sum(map(looks_typed, below))
        names_above_numbers |= _is_word(cell) and bool(below) and typed >= 0.8 * len(below)
    years = len(numbers) > 1 and len(set(numbers)) == len(numbers) and all(map(_YEAR.fullmatch, numbers))
    if names_above_numbers or years or (_corner(head, body) and _ascends(head[1:])):
        reason = "it names columns that hold numbers"
        notes.decide("the first line is the header", reason, "no header", override="header")
        return True
    notes.decide(
        "no header: columns are named column_1, column_2, …",
        "the first line holds values",
        "a header",
        override="header",
    )
    return False


def _ascends(cells: Sequence[str]) -> bool:
    """Whether these are numbers, each above the one before, as classes and places are that name columns."""
    found = [canonical_number(cell.strip(), PLAIN) for cell in cells]
    numbers = [Decimal(text) for text in found if text is not None]
    return len(numbers) == len(cells) > 1 and all(before < after for before, after in pairwise(numbers))


def _words_throughout(head: Sequence[str], body: Sequence[Sequence[str]], notes: Notes) -> bool:
    """Whether all is words and those of the first line come again in their columns, as names do not."""
    again = 0
    for i, cell in enumerate(head):
        below = [row[i].strip() for row in body if i < len(row)]
        if any(looks_typed(other) for other in below if other):
            return False
        again += bool(cell.strip()) and cell.strip() in below
    found = again > 0 and again >= 0.5 * len(head) and len(body) >= 3
    if found:
        notes.decide(
            "no header: columns are named column_1, column_2, …",
            "the words of the first line come again below it",
            "a header",
            override="header",
        )
    return found


def column_names(raw: Sequence[str], notes: Notes) -> list[str]:
    """Names made unique: blanks become column_N, a repeated name gets _2, _3 and so on."""
    names: list[str] = []
    taken: set[str] = set()
    for i, cell in enumerate(raw):
        base = " ".join(cell.replace("`", "'").split()) or f"column_{i + 1}"  # formulas quote names in backticks
        name = base
        for number in itertools.count(2):
            if name not in taken:
                break
            name = f"{base}_{number}"
        if name != base:
            notes.decide(f"column {i + 1} is called {name}", f"the name {base} is taken by an earlier column")
        elif not cell.strip():
            notes.decide(f"column {i + 1} is called {name}", "the header has no name for it")
        taken.add(name)
        names.append(name)
    return names
