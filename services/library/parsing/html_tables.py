"""Tables of a web page that hold data, told from those that only lay out a page."""

from __future__ import annotations

from collections.abc import Callable

from selectolax.lexbor import LexborNode

from services.library.parsing.flow import Block, grid, table_block

_CELL_USUAL = 300
"""Characters a cell holds at most on average; tables that lay out a page hold whole columns of text."""


def data_tables(root: LexborNode, read: Callable[[LexborNode], str]) -> dict[int, Block]:
    """Tables below `root` by their `mem_id`, `read` giving an element's text on one line.

    A table of data has two rows and two columns at least and no table inside it.
    """
    found: dict[int, Block] = {}
    outer = _holding_tables(root)
    for table in root.css("table"):
        if table.mem_id in outer or not read(table):
            continue
        rows = grid(_cells(row, read) for row in table.css("tr") if read(row))
        texts = [cell for row in rows for cell in row if cell]
        if len(rows) < 2 or max(map(len, rows)) < 2 or sum(map(len, texts)) > _CELL_USUAL * len(texts):
            continue
        caption = table.css_first("caption")
        block = table_block(rows, "" if caption is None else read(caption))
        if block is not None:
            found[table.mem_id] = block
    return found


def _holding_tables(root: LexborNode) -> set[int]:
    outer: set[int] = set()
    for inner in root.css("table table"):
        node = inner.parent
        while node is not None and node.tag != "table":
            node = node.parent
        if node is not None:
            outer.add(node.mem_id)
    return outer


def _cells(row: LexborNode, read: Callable[[LexborNode], str]) -> list[tuple[str, int, int]]:
    return [(read(cell), _span(cell, "colspan"), _span(cell, "rowspan")) for cell in row.css("td, th")]


def _span(cell: LexborNode, name: str) -> int:
    value = (cell.attributes.get(name) or "1").strip()
    return int(value) if value.isdecimal() and len(value) < 5 else 1
