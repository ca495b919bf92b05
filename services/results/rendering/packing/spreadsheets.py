"""CSV that programs read exactly and spreadsheets show harmlessly.

RFC 4180 in UTF-8 with a byte order mark, without which Excel takes it for the local eight-bit encoding.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from services.results.rendering.reading import JSON

_PIECE = 64 * 1024
_FORMULA = re.compile(r"^[\s\ufeff]*[=+\-@\uff0b\uff0d\uff1d\uff20|%]|^[\t\r\n]")
# Where the local list separator is a semicolon, spreadsheets part cells at it as well.
_FORMULA_AFTER_SEPARATOR = re.compile(r"([;\t][\s\"]*)(?=[=@\uff1d\uff20]|[+\-\uff0b\uff0d][^\s\d.,])")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[JSON]]) -> bytes:
    """A table. Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return b"".join(csv_pieces(columns, rows))


def csv_pieces(columns: Sequence[str], rows: Iterable[Sequence[JSON]]) -> Iterator[bytes]:
    """The same in pieces of some 64 KiB, however many rows there are."""
    target = io.StringIO()
    target.write("\ufeff")
    writer = csv.writer(target)
    writer.writerow([guarded(column) for column in columns])
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
        if target.tell() > _PIECE:
            yield _taken(target)
    yield _taken(target)


def record_pieces(records: Sequence[JSON], first: Sequence[str] = ()) -> Iterator[bytes]:
    """Objects as a table: a column for each member's name, those of `first` before the others. Goes through `records`
    twice and keeps none of them."""
    known: dict[str, None] = dict.fromkeys(first)
    for record in records:
        if isinstance(record, Mapping):
            known.update(dict.fromkeys(map(str, record)))
    columns = list(known)
    rows = ([record.get(name) for name in columns] for record in records if isinstance(record, Mapping))
    return csv_pieces(columns, rows)


def guarded(text: str) -> str:
    """`text` made harmless to spreadsheets; numbers stay as they are."""
    if _NUMBER.fullmatch(text):
        return text
    safe = _FORMULA_AFTER_SEPARATOR.sub(r"\1'", text)
    return f"'{safe}" if _FORMULA.match(text) else safe


def _cell(cell: JSON) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return guarded(cell)
    if isinstance(cell, (bool, int, float)):
        return orjson.dumps(cell).decode()
    return guarded(orjson.dumps(cell, option=orjson.OPT_SORT_KEYS).decode())


def _taken(target: io.StringIO) -> bytes:
    piece = target.getvalue().encode("utf-8", errors="replace")
    target.seek(0)
    target.truncate()
    return piece
