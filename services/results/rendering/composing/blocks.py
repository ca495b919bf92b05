"""Blocks that a session type added, such as `screening` or `analysis`, laid out by their shape.

An object becomes names and values; a list of like objects with few members a table; a long list of numbers how many
there are; a list of other scalars bullets; any other list of objects one run-in paragraph for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from services.results.rendering.composing.names import path_of
from services.results.rendering.composing.report import (
    Block,
    Bullets,
    Column,
    Inline,
    Pairs,
    Paragraph,
    Styled,
    Subheading,
    TableBlock,
    Text,
)
from services.results.rendering.composing.values import cell, is_scalar, phrase, words
from services.results.rendering.plain_text import one_line, paragraphs
from services.results.rendering.reading import JSON, Cell

MAX_ROWS = 500
"""Rows of one table in a report; the rest is counted in a note."""

MAX_COLUMNS = 9
"""Records with more members than this do not fit on a page as a table."""

MAX_DEPTH = 6
# A plain "p" may be a column of the data.
_PROBABILITY = re.compile(r"adjusted p$|p \(|p of ")
_NEAR_ZERO = "< 0.001"
_SHORT_LIST = 20
_NAMES = ("title", "name", "kind", "label", "term", "id")


def lay_out(value: JSON, labels: dict[str, str], *, depth: int = 0, level: int = 2) -> list[Block]:
    """`value` as blocks. Below `MAX_DEPTH` it is left to the JSON export.

    :param level: level of the next heading, so that no level is skipped.
    """
    if depth > MAX_DEPTH or value is None:
        return []
    if isinstance(value, Mapping):
        pairs = tuple((_joined(path), cell(member, labels)) for path, member in _scalars(value))
        return [*([Pairs(pairs)] if pairs else []), *_lists(value, labels, depth, level)]
    if isinstance(value, str):
        return [Paragraph((Text(line),)) for line in paragraphs(value)]
    if isinstance(value, Sequence):
        return _list(value, labels, depth, level)
    return [Paragraph((Text(cell(value, labels)),))]


def value_of(name: str, value: Cell, labels: dict[str, str]) -> str:
    """A cell of the column `name`: no probability is 0, only too small for the numbers it was computed with."""
    return _NEAR_ZERO if value == 0 and _is_number(value) and _PROBABILITY.match(name) else cell(value, labels)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    labels: dict[str, str],
    *,
    anchor: str = "",
    label: str = "",
    caption: str = "",
) -> TableBlock:
    """A table with its numbers set as numbers, cut at `MAX_ROWS`."""
    shown = rows[:MAX_ROWS]
    numeric = [
        any(_is_number(row[index]) for row in shown)
        and all(row[index] is None or _is_number(row[index]) for row in shown)
        for index in range(len(columns))
    ]
    return TableBlock(
        anchor=anchor,
        label=label,
        caption=caption,
        columns=tuple(Column(one_line(name), kind) for name, kind in zip(columns, numeric, strict=True)),
        rows=tuple(
            tuple(value_of(name, value, labels) for name, value in zip(columns, row, strict=True)) for row in shown
        ),
        note=labels["more_rows"].format(count=len(rows) - MAX_ROWS) if len(rows) > MAX_ROWS else None,
    )


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _scalars(record: Mapping[str, JSON], path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Cell]]:
    """The record's scalars and those of the records in it, with their paths; short lists of scalars as one value."""
    for key, value in record.items():
        here = (*path, str(key))
        if isinstance(value, Mapping) and len(here) < MAX_DEPTH:
            yield from _scalars(value, here)
        elif _fits_a_cell(value) and value is not None and value != []:
            yield here, _as_cell(value)


def _lists(record: Mapping[str, JSON], labels: dict[str, str], depth: int, level: int) -> list[Block]:
    """The lists in a record and in the records in it, each under its name."""
    result: list[Block] = []
    for key, value in record.items():
        if isinstance(value, Mapping):
            result.extend(_lists(value, labels, depth + 1, level) if depth < MAX_DEPTH else [])
        elif not _fits_a_cell(value) and (inner := lay_out(value, labels, depth=depth + 1, level=level + 1)):
            result.append(Subheading(words(str(key)), min(level, 3)))
            result.extend(inner)
    return result


def _list(items: Sequence[JSON], labels: dict[str, str], depth: int, level: int) -> list[Block]:
    more = len(items) - MAX_ROWS
    note = [Paragraph((Text(labels["more_rows"].format(count=more)),))] if more > 0 else []
    if len(items) > _SHORT_LIST and all(map(_is_number, items)):
        return [Paragraph((Text(labels["values_in_json"].format(count=len(items))),))]
    if all(is_scalar(item) for item in items):
        lines = tuple(Paragraph((Text(cell(item, labels)),)) for item in items[:MAX_ROWS])
        return [Bullets(lines), *note] if lines else []
    flat = [item for item in items if isinstance(item, Mapping) and all(map(_fits_a_cell, item.values()))]
    columns = list(dict.fromkeys(str(key) for item in flat for key in item))
    if len(flat) == len(items) and 0 < len(columns) <= MAX_COLUMNS:
        rows = [[_as_cell(item.get(column)) for column in columns] for item in flat]
        return [table([words(column) for column in columns], rows, labels)]
    blocks: list[Block] = []
    for item in items[:MAX_ROWS]:
        blocks.extend(_item(item, labels, depth, level))
    return [*blocks, *note]


def _item(item: JSON, labels: dict[str, str], depth: int, level: int) -> list[Block]:
    """An item of a list: a record in one paragraph, under a heading if lists follow."""
    if not isinstance(item, Mapping):
        return lay_out(item, labels, depth=depth + 1, level=level)
    name = next((key for key in _NAMES if isinstance(item.get(key), str) and one_line(item[key])), None)
    rest = {key: value for key, value in item.items() if key != name}
    heading = "" if name is None else words(item[name]) if name == "kind" else one_line(item[name])
    lists = _lists(rest, labels, depth + 1, level + 1 if heading else level)
    record = _run_in(rest, labels)
    if heading and lists:
        return [Subheading(heading, min(level, 3)), *([Paragraph(record)] if record else []), *lists]
    title = (Styled("strong", (Text(f"{heading}. "),)),) if heading else ()
    return [*([Paragraph((*title, *record))] if title or record else []), *lists]


def _run_in(record: Mapping[str, JSON], labels: dict[str, str]) -> tuple[Inline, ...]:
    """Names and values one after the other."""
    parts: list[Inline] = []
    for path, value in _scalars(record):
        parts += [Text("; ")] if parts else []
        parts += [Styled("emph", (Text(_joined(path)),)), Text(f" {cell(value, labels)}")]
    return tuple(parts)


def _joined(path: tuple[str, ...]) -> str:
    return phrase(path_of(path))


def _fits_a_cell(value: JSON) -> bool:
    if isinstance(value, list):
        return len(value) <= _SHORT_LIST and all(is_scalar(item) and len(str(item)) <= 40 for item in value)
    return is_scalar(value)


def _as_cell(value: JSON) -> Cell:
    if isinstance(value, list):
        return ", ".join(cell(item, {"yes": "true", "no": "false"}) for item in value)
    scalar: Cell = value
    return scalar
