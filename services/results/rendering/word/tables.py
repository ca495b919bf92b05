"""Tables in Word's own way: widths that fit, numbers that stand below each other, rows and headers that stay whole."""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from services.results.rendering.composing.report import Pairs, TableBlock, cell_text
from services.results.rendering.word.reference_docx import LANDSCAPE_WIDTH, TEXT_WIDTH
from services.results.rendering.word.styles import TABLE_POINTS
from services.results.rendering.word.xml import Element, properties, put, q, w

KEPT_WHOLE = 12
"""Rows of a table that moves to the next page rather than be parted."""

_MARGINS = 220
"""Room beside the words of a cell, in twentieths of a point."""

_ADVANCES = (
    22, 29, 39, 62, 56, 89, 69, 24, 38, 38, 43, 56, 21, 33, 21, 49, 56, 56, 56, 56, 56, 56, 56, 56, 56, 56, 26, 26, 56,
    56, 56, 42, 88, 60, 58, 52, 62, 54, 51, 54, 70, 34, 30, 63, 50, 89, 69, 60, 53, 60, 61, 45, 56, 69, 60, 89, 57, 56,
    51, 35, 49, 35, 56, 37, 24, 47, 52, 42, 52, 44, 31, 46, 55, 28, 26, 52, 27, 81, 56, 48, 52, 50, 40, 39, 32, 55, 47,
    72, 48, 48, 43, 39, 32, 39, 71,
)  # fmt: skip
"""Widths of the characters of ASCII from the blank on in the face of the text, in hundredths of its size."""

_WIDTHS = bytes(_ADVANCES[code - 32] if 32 <= code < 127 else 0 for code in range(256))
_WIDE, _OTHER = 104, 60
"""Widths of a character of East Asia, and of one that is not known."""

_SPARE, _BOLD = 1.04, 1.12
"""What a face that stands in for that of the text, and bold, are wider by: a number or a word too wide for its column
would be broken."""

_DIGIT, _POINT = TABLE_POINTS * 20 * 0.554, TABLE_POINTS * 20 * 0.22
"""Widths of a digit and of a full stop in the face of the text."""

_NUMBER = re.compile(r"[-−+]?\d*(?:\.\d+)?|[–—]")
"""Cells whose points can stand below each other: numbers without a power, and those that are not there."""

_LONGEST_WORD = round(TABLE_POINTS * 20 * 11)
"""Width of a word that is kept together, some 20 characters; longer ones are ids and hashes, which may break
anywhere."""

_POWER = re.compile(r"[^ ]+ [×·] 10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
"""A number that is kept together though there are blanks in it."""


def shape(table: Element, block: TableBlock | Pairs, *, right_to_left: bool) -> bool:
    """Give the table its style, widths and alignment. Whether it needs a page on its side."""
    names, rows, numeric = _content(block)
    columns = (
        [[name, *cells] for name, cells in zip(names, zip(*rows, strict=True), strict=True)]
        if rows
        else [[n] for n in names]
    )
    indents = [_indents(column[1:]) if number else [] for column, number in zip(columns, numeric, strict=True)]
    widths, wide = _widths(columns, indents, facts=isinstance(block, Pairs))
    noted = isinstance(block, TableBlock) and bool(block.note)
    _table_properties(table, block, sum(widths), right_to_left=right_to_left)
    for column, width in zip(table.iterfind(f"{q('tblGrid')}/{q('gridCol')}"), widths, strict=True):
        column.set(q("w"), str(width))
    found = table.findall(q("tr"))
    header = len(found) - len(rows)
    for index, row in enumerate(found):
        put(properties(row, "trPr"), w("cantSplit"))
        if index < header:
            put(properties(row, "trPr"), w("tblHeader"))
        kept = index < len(found) - (not noted) and (len(found) <= KEPT_WHOLE + header or index < header + 1)
        for place, cell in enumerate(row.iterfind(q("tc"))):
            put(properties(cell, "tcPr"), w("tcW", w=widths[place], type="dxa"))
            indent = indents[place][index - header] if index >= header and indents[place] else 0
            settings = _settings(index < header, numeric[place], indent, kept)
            for paragraph in cell.iterfind(q("p")):
                _replace_settings(paragraph, settings)
    return wide


def _content(block: TableBlock | Pairs) -> tuple[list[str], list[list[str]], list[bool]]:
    if isinstance(block, Pairs):
        return ["", ""], [list(row) for row in block.rows], [False, False]
    names = [column.header for column in block.columns]
    return (
        names,
        [[cell_text(cell) for cell in row] for row in block.rows],
        [column.numeric for column in block.columns],
    )


def _table_properties(table: Element, block: TableBlock | Pairs, width: int, *, right_to_left: bool) -> None:
    settings = properties(table, "tblPr")
    for old in list(settings):
        settings.remove(old)
    facts = isinstance(block, Pairs)
    put(settings, w("tblStyle", val="ReportFactsTable" if facts else "ReportTable"))
    put(settings, w("tblW", w=width, type="dxa"))
    rows, columns = (0, 1) if facts else (1, 0)
    look = {"firstRow": rows, "lastRow": 0, "firstColumn": columns, "lastColumn": 0, "noHBand": 1, "noVBand": 1}
    put(settings, w("tblLook", val=f"{0x600 | 0x20 * rows | 0x80 * columns:04X}", **look))
    if isinstance(block, TableBlock) and (title := ". ".join(part for part in (block.label, block.caption) if part)):
        put(settings, w("tblCaption", val=title))
    if right_to_left:
        put(settings, w("bidiVisual"))


@lru_cache(maxsize=256)
def _settings(heading: bool, number: bool, indent: int, kept: bool) -> Element:
    """The properties of a cell's paragraph, to be copied: large tables have many alike."""
    made = w("pPr", w("pStyle", val="TableHeading" if heading else "TableNumber" if number else "TableText"))
    if kept and not heading:
        put(made, w("keepNext"))
    if number:
        put(made, w("jc", val="right"))
    if indent:
        put(made, w("ind", right=indent))
    return made


def _replace_settings(paragraph: Element, settings: Element) -> None:
    old = paragraph.find(q("pPr"))
    if old is not None:
        paragraph.remove(old)
    paragraph.insert(0, copy.deepcopy(settings))


def _widths(
    columns: Sequence[Sequence[str]], indents: Sequence[Sequence[int]], *, facts: bool
) -> tuple[list[int], bool]:
    """Widths in twentieths of a point: what the cells want, or else a share that leaves words and numbers whole."""
    numbers = [
        max((_width(cell) + more for cell, more in zip(cells[1:], indent, strict=True)), default=0) if indent else 0
        for cells, indent in zip(columns, indents, strict=True)
    ]
    wanted = [
        max(number, _width(cells[0], bold=not facts), *map(_width, cells[1:]))
        for number, cells in zip(numbers, columns, strict=True)
    ]
    if facts:
        first = min(wanted[0], TEXT_WIDTH * 2 // 5)
        return [first, TEXT_WIDTH - first], False
    if sum(wanted) <= TEXT_WIDTH:
        return wanted, False
    words = [max(_longest_word(cells[:1], bold=True), _longest_word(cells[1:])) for cells in columns]
    needed = [max(number, word) for number, word in zip(numbers, words, strict=True)]
    wide = sum(needed) > TEXT_WIDTH
    room = LANDSCAPE_WIDTH if wide else TEXT_WIDTH
    if sum(wanted) <= room:
        return wanted, wide
    if sum(needed) > room:
        return [width * room // sum(needed) for width in needed], wide
    # A long text gains less from more room than a short one.
    urge = [max(0, want - need) ** 0.5 for want, need in zip(wanted, needed, strict=True)]
    spare = room - sum(needed)
    return [int(need + spare * part / sum(urge)) for need, part in zip(needed, urge, strict=True)], wide


def _width(text: str, *, bold: bool = False) -> int:
    """The width of a cell with this text, in twentieths of a point."""
    hundredths = sum(text.encode("ascii", "ignore").translate(_WIDTHS))
    if not text.isascii():
        wide = unicodedata.east_asian_width
        hundredths += sum(_WIDE if wide(character) in "WF" else _OTHER for character in text if character > "\x7f")
    return round(hundredths / 100 * TABLE_POINTS * 20 * _SPARE * (_BOLD if bold else 1.0)) + _MARGINS


def _longest_word(cells: Iterable[str], *, bold: bool = False) -> int:
    """The width that leaves the words and numbers whole."""
    words = (word for cell in cells for word in ([cell] if _POWER.fullmatch(cell) else cell.split(" ")))
    return min(_LONGEST_WORD, max((_width(word, bold=bold) for word in words), default=0))


def _indents(cells: Sequence[str]) -> list[int]:
    """How far each number stands from the right, so that the points stand below each other. Blanks would do it too, but
    a spreadsheet that the numbers are copied to would take them for text."""
    if not all(_NUMBER.fullmatch(cell) for cell in cells):
        return []
    tails = [len(cell.partition(".")[2]) for cell in cells]
    deepest = max(tails, default=0)
    points = [bool(tail) for tail in tails]
    return [
        round((deepest - tail) * _DIGIT + (_POINT if deepest and not point else 0))
        for tail, point in zip(tails, points, strict=True)
    ]
