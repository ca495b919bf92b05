"""Figures and tables: numbered, named, and referred to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from services.results.rendering import figures
from services.results.rendering.composing import blocks, formulas, table_words
from services.results.rendering.composing.analyses import word
from services.results.rendering.composing.anchors import Anchors
from services.results.rendering.composing.report import (
    FigureBlock,
    Inline,
    Inlines,
    Ref,
    SectionBlock,
    TableBlock,
    Text,
)
from services.results.rendering.composing.values import cell
from services.results.rendering.document import Cell, Figure, KeyFinding, ResultDocument, Table
from services.results.rendering.plain_text import one_line

_LOW, _HIGH = "95 % low", "95 % high"
_WIDE = 8
"""Columns that fit beside each other."""
_NO_CARRIERS = frozenset({"t", "z", "p", "df", "n", "std. error", "sd"})
"""What limits beside it are not the limits of."""
_NONE: Mapping[str, str] = MappingProxyType({})
_CODES = "test"
"""A column of the engine's own words."""


class Exhibits:
    """The figures and tables of one document.

    :param order: ids of those that are shown where they are spoken of, in that order; they are numbered first.
    :param crossings: what the columns of a contingency table are levels of, by the table's id.
    :param language: BCP 47 tag of the language for the engine's own words in heads and captions.
    """

    def __init__(
        self,
        document: ResultDocument,
        anchors: Anchors,
        labels: dict[str, str],
        order: Sequence[str] = (),
        crossings: Mapping[str, str] = _NONE,
        language: str = "en",
    ) -> None:
        self._language = language
        self._kinds = table_words.kinds(document)
        self._labels = labels
        self._crossings = crossings
        self._anchors = anchors
        tables, drawings = in_order(document, order)
        self._tables = {table.id: self._table(table, number) for number, table in enumerate(tables, start=1)}
        self._figures = {figure.id: self._figure(figure, number) for number, figure in enumerate(drawings, start=1)}
        self._taken: set[str] = set()

    @property
    def tables(self) -> int:
        """How many tables there are."""
        return len(self._tables)

    def take(self, ids: Sequence[str]) -> tuple[list[TableBlock], list[FigureBlock], Inlines]:
        """Tables and figures to be shown here, and links to those of these ids that are shown elsewhere already."""
        fresh = [id for id in dict.fromkeys(ids) if id not in self._taken]
        elsewhere = self.named([id for id in ids if id in self._taken])
        self._taken.update(fresh)
        return (
            [self._tables[id] for id in fresh if id in self._tables],
            [self._figures[id] for id in fresh if id in self._figures],
            elsewhere,
        )

    def section(self) -> SectionBlock | None:
        """The section that holds those that are shown nowhere else; None if there are none."""
        # A figure and a table may have the same id.
        kinds: tuple[Mapping[str, FigureBlock | TableBlock], ...] = (self._figures, self._tables)
        content = tuple(block for items in kinds for id, block in items.items() if id not in self._taken)
        if not content:
            return None
        return SectionBlock(self._anchors.of("section", "exhibits"), self._labels["figures_and_tables"], content)

    def links(self, finding: KeyFinding) -> Inlines:
        """Links to the figure and the table that a finding names."""
        return self.named((finding.figure or "", finding.table or ""))

    def named(self, ids: Sequence[str]) -> Inlines:
        """Links to the tables and figures of these ids; ids of neither are passed over."""
        result: list[Inline] = []
        for id in ids:
            block = self._figures.get(id) or self._tables.get(id)
            if block is not None:
                result += [Text(", ")] if result else []
                result.append(Ref(block.anchor, (Text(block.label),)))
        return tuple(result)

    def _table(self, table: Table, number: int) -> TableBlock:
        columns, rows = _folded(table)
        across = self._crossings.get(table.id)
        # Many levels read better down a page than across it.
        if across is not None and len(columns) > max(_WIDE, len(rows) + 1):
            names = [cell(row[0], self._labels) for row in rows]
            columns, rows = (
                [across, *names],
                [[name, *(row[place] for row in rows)] for place, name in enumerate(columns) if place],
            )
        kind = self._kinds.get(table.id)
        shown = blocks.table(
            columns,
            _worded(columns, rows),
            self._labels,
            anchor=self._anchors.of("table", table.id),
            label=f"{self._labels['table']} {number}",
            caption=table_words.caption(formulas.unquoted(one_line(table.title)), kind, self._language),
        )
        # Last, for what a column holds is told by its English name.
        names = table_words.heads([column.header for column in shown.columns], kind, self._language)
        headed = (replace(column, header=name) for column, name in zip(shown.columns, names, strict=True))
        return replace(shown, columns=tuple(headed))

    def _figure(self, figure: Figure, number: int) -> FigureBlock:
        svg: str | None = None
        problem: str | None = None
        try:
            svg = figures.draw(_untitled(figure))
        except figures.FigureRefused as refusal:
            problem = f"{self._labels['not_drawn']} ({refusal})"
        label = f"{self._labels['figure']} {number}"
        return FigureBlock(
            anchor=self._anchors.of("figure", figure.id),
            label=label,
            caption=formulas.unquoted(one_line(figure.title)),
            alt=formulas.unquoted(one_line(figure.alt) or one_line(figure.title)) or label,
            svg=svg,
            problem=problem,
        )


def _folded(table: Table) -> tuple[Sequence[str], Sequence[Sequence[Cell]]]:
    """A wide table with the limits of an interval beside what they are limits of, for all to fit on a page."""
    columns = list(table.columns)
    lows = [i for i in range(1, len(columns) - 1) if columns[i].endswith(_LOW) and columns[i + 1].endswith(_HIGH)]
    if len(columns) <= _WIDE or not lows:
        return table.columns, table.rows
    rows = [list(row) for row in table.rows]
    for low in reversed(lows):
        carrier = next((i for i in range(low - 1, 0, -1) if _carries(columns[i])), low - 1)
        columns[carrier] = f"{columns[carrier]} (95 %)"
        del columns[low : low + 2]
        for row in rows:
            row[carrier] = _estimate(row[carrier], *row[low : low + 2])
            del row[low : low + 2]
    return columns, rows


def _carries(column: str) -> bool:
    return column not in _NO_CARRIERS and not column.startswith(("p ", _LOW, _HIGH))


def _estimate(value: Cell, low: Cell, high: Cell) -> Cell:
    shown = [cell(item, {"yes": "true", "no": "false"}) for item in (value, low, high)]
    return shown[0] if low is None and high is None else f"{shown[0]} ({shown[1]};\u00a0{shown[2]})"


def _worded(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Sequence[Sequence[Cell]]:
    """The rows with the names of tests in words, and with formulas as they are read."""
    places = [place for place, name in enumerate(columns) if name == _CODES]
    rows = [[formulas.unquoted(value) if isinstance(value, str) else value for value in row] for row in rows]
    if not places:
        return rows
    return [
        [word(value) if place in places and isinstance(value, str) else value for place, value in enumerate(row)]
        for row in rows
    ]


def begin(document: ResultDocument) -> None:
    """Have the figures drawn meanwhile, where there is a process for it."""
    figures.begin(map(_untitled, document.figures))


def in_order(document: ResultDocument, order: Sequence[str]) -> tuple[list[Table], list[Figure]]:
    """The tables and figures as they are numbered: those of `order` first, the others after them."""
    places = {id: place for place, id in enumerate(order)}
    tables = sorted((table for table in document.tables if table.columns), key=lambda item: _at(places, item.id))
    return tables, sorted(document.figures, key=lambda item: _at(places, item.id))


def _at(places: Mapping[str, int], id: str) -> int:
    return places.get(id, len(places))


def _untitled(figure: Figure) -> Mapping[str, Any]:
    """The drawing without a title of its own where the caption says the same below it."""
    title = figure.spec.get("title")
    text = title.get("text") if isinstance(title, Mapping) else title
    if isinstance(text, (list, tuple)):  # its lines
        text = " ".join(line for line in text if isinstance(line, str))
    if not isinstance(text, str) or one_line(text) != one_line(figure.title):
        return figure.spec
    return {key: value for key, value in figure.spec.items() if key != "title"}
