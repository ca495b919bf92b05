"""`preferences.analysis.read`, checked: what the request says about its datasets, instead of a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.engines.analysis.errors import invalid

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
_KEYS = (
    "format",
    "encoding",
    "delimiter",
    "quote",
    "comment",
    "decimal",
    "thousands",
    "header",
    "skip_lines",
    "skip_end",
    "units_row",
    "columns",
    "missing",
    "types",
    "dates",
    "units",
    "sheet",
    "range",
    "records",
)
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


def parse_read_options(raw: Any) -> ReadOptions:
    """Overrides from `preferences.analysis.read` (None: guess all). Raises :class:`AnalysisError` naming the field."""
    if raw is None:
        return ReadOptions()
    if not isinstance(raw, Mapping):
        raise invalid(PATH, "must be an object")
    for key in raw:
        if key not in _KEYS:
            raise invalid(f"{PATH}.{key}", f"unknown field; there are {', '.join(_KEYS)}")
    header, header_lines = _header(raw.get("header"))
    missing, missing_in = _missing(raw.get("missing"))
    return ReadOptions(
        encoding=_text(raw, "encoding"),
        delimiter=_delimiter(raw.get("delimiter")),
        decimal=_one_of(raw, "decimal", (".", ",")),
        header=header,
        missing=missing,
        types=_named(raw, "types", COLUMN_TYPES),
        format=_one_of(raw, "format", FORMATS),
        quote=_mark(raw, "quote", most=1),
        comment=_mark(raw, "comment", most=4),
        thousands=_thousands(raw.get("thousands")),
        header_lines=header_lines,
        skip_lines=_count(raw, "skip_lines"),
        skip_end=_count(raw, "skip_end"),
        units_row=_flag(raw, "units_row"),
        columns=_texts(raw.get("columns"), f"{PATH}.columns"),
        missing_in=missing_in,
        dates=_dates(raw),
        units=_named(raw, "units", None),
        sheet=_sheet(raw.get("sheet")),
        range=_range(raw.get("range")),
        records=_text(raw, "records"),
    )


def _text(raw: Mapping[str, Any], key: str) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise invalid(f"{PATH}.{key}", "must be a text that is not blank")
    return value


def _texts(value: Any, path: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise invalid(path, "must be a list of texts")
    return tuple(value)


def _flag(raw: Mapping[str, Any], key: str) -> bool | None:
    value = raw.get(key)
    if not isinstance(value, bool | None):
        raise invalid(f"{PATH}.{key}", "must be true or false")
    return value


def _whole(value: Any, path: str, least: int) -> int:
    """A whole number; numbers of a request's preferences may arrive as floats."""
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if not whole or abs(value) > 1e9 or int(value) != value or value < least:
        raise invalid(path, f"must be a whole number from {least} on")
    return int(value)


def _count(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    return 0 if value is None else _whole(value, f"{PATH}.{key}", 0)


def _one_of(raw: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str | None:
    value = raw.get(key)
    if value is not None and value not in allowed:
        raise invalid(f"{PATH}.{key}", f"must be one of {', '.join(repr(each) for each in allowed)}")
    return value


def _mark(raw: Mapping[str, Any], key: str, *, most: int) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or len(value) > most or value.strip() != value):
        what = "one character" if most == 1 else f"1 to {most} characters"
        raise invalid(f"{PATH}.{key}", f'must be {what}, or "" for none')
    return value


def _delimiter(value: Any) -> str | None:
    if value is None:
        return None
    found = _DELIMITER_NAMES.get(value, value) if isinstance(value, str) else ""
    if len(found) != 1 or found in '\r\n"':
        raise invalid(f"{PATH}.delimiter", "must be one character, or comma, semicolon, tab, bar, space or colon")
    return found


def _thousands(value: Any) -> str | None:
    if value is None:
        return None
    found = _THOUSANDS_NAMES.get(value, value) if isinstance(value, str) else None
    if found not in ("", ",", ".", " ", "'"):
        raise invalid(f"{PATH}.thousands", "must be comma, point, space, apostrophe or none")
    return found


def _header(value: Any) -> tuple[bool | None, tuple[int, ...]]:
    path = f"{PATH}.header"
    if value is None or isinstance(value, bool):
        return value, ()
    lines = list(value) if isinstance(value, list | tuple) else [value]
    if not lines or len(lines) > _MOST_HEADER_LINES or isinstance(value, str):
        raise invalid(path, "must be true, false, the number of the header's line, or a list of such numbers")
    return True, tuple(sorted({_whole(line, path, 1) for line in lines}))


def _missing(value: Any) -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    path = f"{PATH}.missing"
    if not isinstance(value, Mapping):
        return _texts(value, path), {}
    named = {str(name): _texts(codes, f"{path}.{name}") for name, codes in value.items()}
    return named.pop(EVERY_COLUMN, ()), named


def _named(raw: Mapping[str, Any], key: str, allowed: tuple[str, ...] | None) -> dict[str, str]:
    value = raw.get(key)
    if value is None:
        return {}
    fits = isinstance(value, Mapping) and all(
        isinstance(each, str) and (allowed is None or each in allowed) for each in value.values()
    )
    if not fits:
        what = "a text" if allowed is None else f"one of {', '.join(allowed)}"
        raise invalid(f"{PATH}.{key}", f"must give columns {what}")
    return {str(name): each for name, each in value.items()}


def _dates(raw: Mapping[str, Any]) -> dict[str, str]:
    value = raw.get("dates")
    if isinstance(value, str):
        return _named({"dates": {EVERY_COLUMN: value}}, "dates", DATE_ORDERS)
    return _named(raw, "dates", DATE_ORDERS)


def _sheet(value: Any) -> str | int | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    return _whole(value, f"{PATH}.sheet", 1)


def _range(value: Any) -> tuple[int, int, int, int] | None:
    if value is None:
        return None
    match = _RANGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise invalid(f"{PATH}.range", "must be cells such as B3:F40")
    left, top, right, bottom = column_number(match[1]), int(match[2]), column_number(match[3]), int(match[4])
    if top < 1 or top > bottom or left > right:
        raise invalid(f"{PATH}.range", "must go from the upper left cell to the lower right one")
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
