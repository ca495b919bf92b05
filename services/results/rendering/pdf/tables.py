"""How a table stands on the page: the widths of its columns, the size of its type, upright or across."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from services.results.rendering.composing.report import Inlines, TableBlock, cell_text
from services.results.rendering.pdf.text import UNBROKEN

_UPRIGHT, _ACROSS = 431.0, 728.0
"""Width of the text in points, of a page upright and of one turned."""

_INSET = 10.0
_LETTER = 0.5
"""Width of a letter, as a share of the type size: an average over the lower case of text faces."""

_SIZES = (9.0, 8.0, 7.0)
_NARROWEST = 26
"""Characters of a column of running text that may be no narrower, its longest word aside."""

_CODE, _WORD = 12, 27
"""The most characters that an id and a word take at least: longer ones are broken."""

NUMBER = re.compile(r"[-−+]?\d*(?:\.\d+)?|[–—]")
"""Cells whose points can stand below each other: numbers without a power or a unit, and those that are not there."""

_NAME = 36
"""The most characters of a name that a value stands beside in the line."""

_LEAST_SHARE, _MOST_SHARE = 16, 160


@dataclass(frozen=True, slots=True)
class Setting:
    """`size` is the type size in points; `across` sets the table on pages turned by a quarter."""

    size: float
    across: bool


def laid_out(table: TableBlock) -> tuple[list[list[str]], Setting]:
    """The rooms that the numbers of each column leave at their right, for their points to stand in a line, and the
    table's setting. No rooms of a column that needs none, nor where they would turn the page or shrink the type by
    more than a point."""
    rooms = [
        aligned([cell_text(row[index]) for row in table.rows]) if column.numeric else []
        for index, column in enumerate(table.columns)
    ]
    plain = setting(table)
    chosen = setting(table, rooms) if any(rooms) else plain
    if chosen.across == plain.across and plain.size - chosen.size <= 1:
        return rooms, chosen
    without: list[list[str]] = [[] for _ in table.columns]
    return without, plain


def setting(table: TableBlock, rooms: Sequence[Sequence[str]] = ()) -> Setting:
    """The largest type, upright before across, with which the columns fit beside each other.

    :param rooms: what stands after the numbers of each column to align them.
    """
    letters = 0
    for index, column in enumerate(table.columns):
        cells = [row[index] for row in table.rows]
        room = rooms[index] if rooms else ()
        if column.numeric and all(NUMBER.fullmatch(cell_text(cell)) for cell in cells):
            ends = room or [""] * len(cells)
            widest = max((len(cell_text(cell) + end) for cell, end in zip(cells, ends, strict=True)), default=0)
            letters += max(widest, _least(column.header, ()))
        else:
            letters += _least(column.header, cells)
    for width, across in ((_UPRIGHT, False), (_ACROSS, True)):
        for size in _SIZES:
            if len(table.columns) * _INSET + letters * _LETTER * size <= width:
                return Setting(size, across)
    return Setting(_SIZES[-1] - 1, True)


def width(cells: Iterable[str]) -> float:
    """Share of the width for a column of running text; 0 for one that takes just what it needs: short cells, or ids,
    which are read ill in parts."""
    texts = list(cells)
    longest = max(map(len, texts), default=0)
    ids = longest <= 40 and not any(" " in text for text in texts)
    return 0 if longest <= 24 or ids else min(longest, 160) ** 0.5


def pair_widths(rows: Sequence[tuple[str, str]]) -> list[float]:
    """Shares of the width for names and values: 0 for names that take just what they need. Whole sentences as names
    leave the values their share."""
    names, values = (max((_length(row[side]) for row in rows), default=0) for side in (0, 1))
    if names <= _NAME:
        return [0, 1]
    return [min(max(length, _LEAST_SHARE), _MOST_SHARE) ** 0.5 for length in (names, values)]


def aligned(cells: Sequence[str]) -> list[str]:
    """What each number would need after it for the points of all to stand in a line; nothing where none is needed, or
    where a cell is no plain number. It is set but not drawn: blanks of those widths would let a line end."""
    if not all(NUMBER.fullmatch(cell) for cell in cells):
        return []
    tails = [len(cell.partition(".")[2]) for cell in cells]
    deepest = max(tails, default=0)
    return (
        [
            ("" if tail else ".") + "0" * (deepest - tail) if cell else ""
            for cell, tail in zip(cells, tails, strict=True)
        ]
        if deepest
        else []
    )


def _length(text: str) -> int:
    """Characters, those of East Asia counted twice."""
    return len(text) + (0 if text.isascii() else sum(east_asian_width(letter) in "WF" for letter in text))


def _broken(word: str) -> int:
    """The fewest characters of a word that stand together."""
    return min(len(word), _CODE if any(map(str.isdigit, word)) else _WORD)


def _least(header: str, cells: Sequence[str | Inlines]) -> int:
    """The fewest characters that a column can be wide without breaking a word; ids and paths may be broken."""
    texts = [cell_text(cell) for cell in cells]
    longest = max(map(len, texts), default=0)
    words = (word for text in (header, *texts[:50]) for word in text.split())
    widest = max((len(word) if UNBROKEN.fullmatch(word) else _broken(word) for word in words), default=0)
    running = any(" " in text for text in texts)
    return max(widest, min(longest, _NARROWEST) if running else 2)
