"""Tables of a PDF page, where the places of their cells leave no doubt that they are tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from services.library.parsing.flow import Block, table_block
from services.library.parsing.pdf_lines import Line

CAPTION = re.compile(r"^(?:table|tab\.|tabelle|tableau|tabla|tabella)\s*[\dIVX]+\b", re.IGNORECASE)
_CELL_GAP = 0.9
"""Font sizes between two runs on a baseline that part cells."""
_ROWS = 3
_STEP = 3.5
_NEAR = 8
_SPEAKING = 0.6

_Row = list[list[Line]]
"""Cells from left to right, each the runs in it."""


def segments(lines: Sequence[Line]) -> Iterator[list[Line] | Block]:
    """The page's lines, tables among them as blocks. The lines of a table follow each other row by row.

    A table has three rows with equally many cells at least, whose cells stand over each other and beside no
    others; with only two columns it also needs a caption near it.
    """
    rows = list(_rows(lines))
    begin = 0
    text: list[Line] = []
    while begin < len(rows):
        end = _end_of_table(rows, begin)
        captioned = any(CAPTION.match(line.text) for line in text[-_NEAR:]) or any(
            CAPTION.match(row[0][0].text) for row in rows[end : end + 2]
        )
        block = _table(rows[begin:end], captioned=captioned)
        if block is None:
            text += [line for cell in rows[begin] for line in cell]
            begin += 1
            continue
        yield rejoined(text)
        yield block
        text = []
        begin = end
    yield rejoined(text)


def rejoined(lines: Sequence[Line]) -> list[Line]:
    """Lines that were cut at wide gaps as one again, where the parts still follow each other."""
    whole: list[Line] = []
    for line in lines:
        if line.apart and whole and abs(whole[-1].y - line.y) < 0.01 and line.x0 > whole[-1].x1:
            left = whole[-1]
            whole[-1] = replace(left, text=f"{left.text} {line.text}", x1=line.x1, broken=line.broken)
        else:
            whole.append(replace(line, apart=False) if line.apart else line)
    return whole


def _rows(lines: Sequence[Line]) -> Iterator[_Row]:
    row: _Row = []
    for line in lines:
        last = row[-1][-1] if row else None
        height = max(last.size, line.size) if last else 0.0
        if last is None or abs(last.y - line.y) > 0.45 * height or line.x0 <= last.x1 or line.sideways:
            if row:
                yield row
            row = [[line]]
        elif line.x0 - last.x1 < (_CELL_GAP + 0.5) * height and not line.apart:  # x1 is where the last character begins
            row[-1].append(line)
        else:
            row.append([line])
    if row:
        yield row


def _end_of_table(rows: Sequence[_Row], begin: int) -> int:
    """Where the rows end that may be a table beginning at `begin`; one of a single cell must stand between others."""
    end = begin
    for index in range(begin, len(rows)):
        if index > begin:
            before, after = rows[index - 1][0][0], rows[index][0][0]
            down = (before.y - after.y) / max(before.size, after.size)
            if not 0 < down < _STEP:
                break
        if len(rows[index]) > 1:
            end = index + 1
        elif index >= end + 1 or index == begin:
            break
    return end


def _table(rows: Sequence[_Row], *, captioned: bool) -> Block | None:
    counts = Counter(len(row) for row in rows if len(row) > 1)
    if not counts:
        return None
    usual, often = max(counts.items(), key=lambda item: (item[1], item[0]))
    if often < _ROWS or (usual < 3 and not captioned) or 2 * often < len(rows):
        return None
    regular = [row for row in rows if len(row) == usual]
    columns = [(min(row[n][0].x0 for row in regular), max(row[n][-1].x1 for row in regular)) for n in range(usual)]
    if any(right >= left for (_, right), (left, _) in pairwise(columns)) or not (captioned or _speak(regular)):
        return None
    cells: list[list[str]] = []
    for row in rows:
        line = [""] * usual
        for cell in row:
            column = _column(cell, columns)
            line[column] = f"{line[column]} {' '.join(run.text for run in cell)}".strip()
        cells.append(line)
    return table_block(cells)


def _speak(rows: Sequence[_Row]) -> bool:
    """Whether most cells hold more than a sign: a scan's noise may stand in rows and columns too."""
    texts = ["".join(run.text for run in cell) for row in rows for cell in row]
    return sum(sum(map(str.isalnum, text)) > 1 for text in texts) > _SPEAKING * len(texts)


def _column(cell: list[Line], columns: Sequence[tuple[float, float]]) -> int:
    middle = (cell[0].x0 + cell[-1].x1) / 2
    return min(range(len(columns)), key=lambda n: abs((columns[n][0] + columns[n][1]) / 2 - middle))
