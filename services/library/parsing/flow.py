"""Blocks of a document put together to its stored text, with the places of the tables among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.library.parsing.document import TABLES_MAX, ParseLimits, too_much_text
from services.library.parsing.normalise import normalise, one_line
from services.library.places import Table

_CAPTION_MAX = 1_000
_SPAN_MAX = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a table besides its text."""

    caption: str
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list or table; `close` joins it to the one before by a line feed, not a blank line."""

    text: str
    table: Shape | None = None
    close: bool = False


def table_block(rows: Sequence[Sequence[str]], caption: str = "") -> Block | None:
    """A table as lines of cells between tabs; None when no cell holds anything."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    lines = ["\t".join(row).rstrip("\t") for row in cells]
    shown = [line for line in lines if line]
    if not shown:
        return None
    return Block("\n".join(shown), Shape(one_line(caption), len(shown), max(map(len, cells))))


def put_together(blocks: Iterable[Block], limits: ParseLimits) -> tuple[str, tuple[Table, ...]]:
    """The text in its stored form and its tables. Raises DocumentUnreadable (`too_large`)."""
    parts: list[str] = []
    tables: list[Table] = []
    position = 0
    for block in blocks:
        stripped = normalise(block.text).strip("\n ")
        text = stripped.rstrip() if block.table else stripped.strip()
        if not text:
            continue
        if parts:
            parts.append("\n" if block.close else "\n\n")
            position += len(parts[-1])
        if block.table is not None and len(tables) < TABLES_MAX:
            shape = block.table
            end = position + len(text)
            tables.append(Table(position, end, None, shape.caption[:_CAPTION_MAX], shape.rows, shape.columns))
        parts.append(text)
        position += len(text)
        if position > limits.characters:
            raise too_much_text(limits)
    return "".join(parts), tuple(tables)


def grid(rows: Iterable[Iterable[tuple[str, int, int]]]) -> list[list[str]]:
    """Rows of (text, column span, row span) as a rectangle's left part: what a cell covers beyond itself is empty."""
    below: dict[int, int] = {}
    table: list[list[str]] = []
    for row in rows:
        line: list[str] = []
        covered, below = below, {}
        for text, across, down in row:
            while covered.get(len(line), 0):
                _cover(line, covered, below)
            start = len(line)
            across = max(1, min(across, _SPAN_MAX))
            line.extend([text, *[""] * (across - 1)])
            if down > 1:
                below.update(dict.fromkeys(range(start, start + across), min(down, _SPAN_MAX) - 1))
        while covered.get(len(line), 0):
            _cover(line, covered, below)
        table.append(line)
    return table


def _cover(line: list[str], covered: dict[int, int], below: dict[int, int]) -> None:
    column = len(line)
    if covered[column] > 1:
        below[column] = covered[column] - 1
    line.append("")
