"""`preferences.analysis.read`: what a request says about its datasets, instead of a guess."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.errors import Fault
from kit.near import near

PATH = "preferences.analysis.read"
EVERY_COLUMN = "*"
COLUMN_TYPES = ("number", "integer", "boolean", "date", "category", "text")
DATE_ORDERS = (
    "year-month-day",
    "day-month-year",
    "month-day-year",
    "iso-week",
    "quarter",
    "compact",
    "excel",
    "excel-1904",
)
FORMATS = ("csv", "json", "jsonl", "xlsx", "xls", "parquet")
_DELIMITER_NAMES = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "bar": "|",
    "space": " ",
    "colon": ":",
    "\\t": "\t",
}
_THOUSANDS_NAMES = {
    "none": "",
    "comma": ",",
    "point": ".",
    "space": " ",
    "apostrophe": "'",
    "\u00a0": " ",
    "\u202f": " ",
    "\u2009": " ",
    "\u2019": "'",
}
_RANGE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7}):\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_MOST_HEADER_LINES = 10
_Parser = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Overrides for what reading would guess; None means guess. Lines and sheets count from 1."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    missing: tuple[str, ...] = ()
    """Codes for a missing value in every column, beside the customary ones."""
    types: Mapping[str, str] = field(default_factory=dict)
    format: str | None = None
    quote: str | None = None
    """One character, or "" for a file without quoting."""
    comment: str | None = None
    """What a comment line begins with, or "" for none."""
    thousands: str | None = None
    header_lines: tuple[int, ...] = ()
    """The lines (or a sheet's rows) that hold the names, ascending."""
    skip_lines: int = 0
    skip_end: int = 0
    units_row: bool | None = None
    columns: tuple[str, ...] = ()
    missing_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    """How a column's dates are written, by name; ``*`` for all columns."""
    units: Mapping[str, str] = field(default_factory=dict)
    sheet: str | int | None = None
    range: tuple[int, int, int, int] | None = None
    """Part of a sheet: first row, first column, last row, last column."""
    records: str | None = None
    """Where in a JSON document the rows are: names joined by points."""


class ReadFault(ValueError):
    """One field at fault: `field` is its whole path, `issue` says the cure."""

    def __init__(self, field: str, issue: str) -> None:
        super().__init__(issue)
        self.field = field
        self.issue = issue


def read_faults(raw: Any) -> Iterator[Fault]:
    """Every fault of `preferences.analysis.read`."""
    if raw is None:
        return
    if not isinstance(raw, Mapping):
        yield Fault(PATH, "must be an object")
        return
    for key in raw:
        if key not in READ_FIELDS:
            yield Fault(f"{PATH}.{key}", f"unknown field; there are {', '.join(READ_FIELDS)}{near(key, READ_FIELDS)}")
            continue
        try:
            _PARSERS[key](raw[key])
        except ReadFault as fault:
            yield Fault(fault.field, fault.issue)


def read_options(raw: Any) -> ReadOptions:
    """Overrides from `preferences.analysis.read` (None: guess all). Raises :class:`ReadFault` for the first fault."""
    for fault in read_faults(raw):
        raise ReadFault(fault.field, fault.issue)
    given = {key: _PARSERS[key](value) for key, value in (raw or {}).items()}
    header, header_lines = given.pop("header", (None, ()))
    missing, missing_in = given.pop("missing", ((), {}))
    return ReadOptions(header=header, header_lines=header_lines, missing=missing, missing_in=missing_in, **given)


def _text(key: str) -> _Parser:
    def parse(value: Any) -> str | None:
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise ReadFault(f"{PATH}.{key}", "must be a text that is not blank")
        return value

    return parse


def _texts(value: Any, path: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ReadFault(path, "must be a list of texts")
    return tuple(value)


def _encoding(value: Any) -> str | None:
    if _text("encoding")(value) is None:
        return None
    name = str(value)
    try:
        codecs.lookup(name.strip())
    except (LookupError, ValueError):
        issue = f"unknown encoding {name!r}; write for example utf-8 or cp1252"
        raise ReadFault(f"{PATH}.encoding", issue) from None
    return name


def _flag(key: str) -> _Parser:
    def parse(value: Any) -> bool | None:
        if not isinstance(value, bool | None):
            raise ReadFault(f"{PATH}.{key}", "must be true or false")
        return value

    return parse


def _whole(value: Any, path: str, least: int) -> int:
    """A whole number; numbers of a request's preferences may arrive as floats."""
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if not whole or abs(value) > 1e9 or int(value) != value or value < least:
        raise ReadFault(path, f"must be a whole number from {least} on")
    return int(value)


def _count(key: str) -> _Parser:
    return lambda value: 0 if value is None else _whole(value, f"{PATH}.{key}", 0)


def _one_of(key: str, allowed: tuple[str, ...]) -> _Parser:
    def parse(value: Any) -> str | None:
        if value is not None and value not in allowed:
            choices = ", ".join(repr(each) for each in allowed)
            raise ReadFault(f"{PATH}.{key}", f"must be one of {choices}{near(value, allowed)}")
        return None if value is None else str(value)

    return parse


def _mark(key: str, *, most: int) -> _Parser:
    def parse(value: Any) -> str | None:
        if value is not None and (not isinstance(value, str) or len(value) > most or value.strip() != value):
            what = "one character" if most == 1 else f"1 to {most} characters"
            raise ReadFault(f"{PATH}.{key}", f'must be {what}, or "" for none')
        return value

    return parse


def _delimiter(value: Any) -> str | None:
    if value is None:
        return None
    found = _DELIMITER_NAMES.get(value, value) if isinstance(value, str) else ""
    if len(found) != 1 or found in '\r\n"':
        issue = f"must be one character, or comma, semicolon, tab, bar, space or colon{near(value, _DELIMITER_NAMES)}"
        raise ReadFault(f"{PATH}.delimiter", issue)
    return found


def _thousands(value: Any) -> str | None:
    if value is None:
        return None
    found = _THOUSANDS_NAMES.get(value, value) if isinstance(value, str) else None
    if found not in ("", ",", ".", " ", "'"):
        issue = f"must be comma, point, space, apostrophe or none{near(value, _THOUSANDS_NAMES)}"
        raise ReadFault(f"{PATH}.thousands", issue)
    return found


def _header(value: Any) -> tuple[bool | None, tuple[int, ...]]:
    path = f"{PATH}.header"
    if value is None or isinstance(value, bool):
        return value, ()
    lines = list(value) if isinstance(value, list | tuple) else [value]
    if not lines or len(lines) > _MOST_HEADER_LINES or isinstance(value, str):
        raise ReadFault(path, "must be true, false, the number of the header's line, or a list of such numbers")
    return True, tuple(sorted({_whole(line, path, 1) for line in lines}))


def _missing(value: Any) -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    path = f"{PATH}.missing"
    if not isinstance(value, Mapping):
        return _texts(value, path), {}
    named = {str(name): _texts(codes, f"{path}.{name}") for name, codes in value.items()}
    return named.pop(EVERY_COLUMN, ()), named


def _named(key: str, allowed: tuple[str, ...] | None) -> _Parser:
    """What is said by column; the fault names the column."""

    def parse(value: Any) -> dict[str, str]:
        if value is None:
            return {}
        what = "a text" if allowed is None else f"one of {', '.join(allowed)}"
        if not isinstance(value, Mapping):
            raise ReadFault(f"{PATH}.{key}", f"must be an object that gives columns {what}")
        for name, each in value.items():
            if not isinstance(each, str) or (allowed is not None and each not in allowed):
                raise ReadFault(f"{PATH}.{key}.{name}", f"must be {what}{near(each, allowed or ())}")
        return {str(name): each for name, each in value.items()}

    return parse


def _dates(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return {EVERY_COLUMN: str(_one_of("dates", DATE_ORDERS)(value))}
    return dict(_named("dates", DATE_ORDERS)(value))


def _sheet(value: Any) -> str | int | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    if isinstance(value, str):
        raise ReadFault(f"{PATH}.sheet", "must be a sheet's name, or its number from 1 on")
    return _whole(value, f"{PATH}.sheet", 1)


def _range(value: Any) -> tuple[int, int, int, int] | None:
    if value is None:
        return None
    match = _RANGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ReadFault(f"{PATH}.range", "must be cells such as B3:F40")
    left, top, right, bottom = column_number(match[1]), int(match[2]), column_number(match[3]), int(match[4])
    if top < 1 or top > bottom or left > right:
        raise ReadFault(f"{PATH}.range", "must go from the upper left cell to the lower right one")
    return top, left, bottom, right


def column_number(letters: str) -> int:
    """A sheet's column by its letters: A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """The inverse of :func:`column_number`."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


_PARSERS: Mapping[str, _Parser] = {
    "format": _one_of("format", FORMATS),
    "encoding": _encoding,
    "delimiter": _delimiter,
    "quote": _mark("quote", most=1),
    "comment": _mark("comment", most=4),
    "decimal": _one_of("decimal", (".", ",")),
    "thousands": _thousands,
    "header": _header,
    "skip_lines": _count("skip_lines"),
    "skip_end": _count("skip_end"),
    "units_row": _flag("units_row"),
    "columns": lambda value: _texts(value, f"{PATH}.columns"),
    "missing": _missing,
    "types": _named("types", COLUMN_TYPES),
    "dates": _dates,
    "units": _named("units", None),
    "sheet": _sheet,
    "range": _range,
    "records": _text("records"),
}
READ_FIELDS = tuple(_PARSERS)
