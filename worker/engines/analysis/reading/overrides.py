"""What a request says about its datasets; the rules are those by which sessions are refused at creation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kit.analysis_reading import (
    COLUMN_TYPES,
    DATE_ORDERS,
    EVERY_COLUMN,
    FORMATS,
    PATH,
    ReadFault,
    ReadOptions,
    column_letters,
    column_number,
    read_options,
)
from worker.engines.analysis.errors import invalid
from worker.engines.analysis.wording import plural

__all__ = [
    "COLUMN_TYPES",
    "DATE_ORDERS",
    "EVERY_COLUMN",
    "FORMATS",
    "PATH",
    "ReadOptions",
    "column_letters",
    "column_number",
    "decisions_asked",
    "parse_read_options",
]

_MARKS = {
    ",": "comma", ".": "point", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space", ":": "colon",
    "'": "apostrophe",
}  # fmt: skip


def parse_read_options(raw: Any) -> ReadOptions:
    """Overrides from `preferences.analysis.read` (None: guess all). Raises :class:`AnalysisError` naming the field."""
    try:
        return read_options(raw)
    except ReadFault as fault:
        raise invalid(fault.field, fault.issue) from None


def decisions_asked(options: ReadOptions, *, delimited: bool, table: bool) -> Iterator[str]:
    """What the request decides for the whole file, in words. What it says of columns, sheets and lines with names is
    told where they are found. `delimited`: the file is separated text; `table`: that or a sheet."""
    if delimited:
        if options.delimiter is not None:
            yield f"fields separated by {_MARKS.get(options.delimiter, repr(options.delimiter))}"
        if options.quote is not None:
            yield f"fields quoted by {options.quote}" if options.quote else "no character quotes fields"
        if options.comment is not None:
            yield f"lines that begin with {options.comment} are comments" if options.comment else "no line is a comment"
    if table:
        if options.skip_lines:
            yield f"the first {plural(options.skip_lines, 'line')} left out"
        if options.skip_end:
            yield f"the last {plural(options.skip_end, 'line')} left out"
        if options.header is not None and not options.header_lines:
            yield "the first line is the header" if options.header else "no header: columns are named column_1, …"
        if options.units_row is False:
            yield "no line holds units"
    if options.decimal is not None:
        yield f"numbers have a decimal {'comma' if options.decimal == ',' else 'point'}"
    if options.thousands is not None:
        mark = _MARKS.get(options.thousands, repr(options.thousands))
        yield f"thousands are separated by {mark}" if options.thousands else "thousands are not separated"
    if options.records is not None:
        yield f"the rows are at {options.records}"
