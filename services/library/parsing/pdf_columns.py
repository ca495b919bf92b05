"""Columns whose lines a file draws in turns, left and right, put one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from services.library.parsing.pdf_lines import Line

_LONG = 20
"""Characters of a line of running text at least; a table's cells are shorter."""
_MANY = 4
_COLUMNS = 8


def by_columns(lines: Sequence[Line], most: int = _COLUMNS) -> list[Line]:
    """The lines with columns read one after the other.

    The order of drawing is kept but where lines of running text alternate over a gutter: several times a long
    line is followed by another to its right on the same height, at the same place. A line over both columns
    ends the part of the page that is put in order. What lies to the right of a gutter may have another one, up
    to `most` columns.
    """
    gutter = _gutter(lines) if most > 1 else None
    if gutter is None:
        return list(lines)
    ordered: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for line in lines:
        if line.sideways or (line.x0 < gutter - line.size and line.x1 > gutter):
            ordered += [*left, *by_columns(right, most - 1), line]
            left, right = [], []
        else:
            (left if line.x0 < gutter - line.size / 2 else right).append(line)
    return [*ordered, *left, *by_columns(right, most - 1)]


def _gutter(lines: Sequence[Line]) -> float | None:
    """Where the right one of two interleaved columns begins."""
    starts = sorted(after.x0 for before, after in pairwise(lines) if _faces(before, after))
    for index, start in enumerate(starts):
        if index + _MANY <= len(starts) and starts[index + _MANY - 1] - start < 2:
            return start
    return None


def _faces(before: Line, after: Line) -> bool:
    height = max(before.size, after.size)
    level = abs(before.y - after.y) < 0.45 * height and after.x0 > before.x1 + 0.5 * height
    return level and min(len(before.text), len(after.text)) >= _LONG
