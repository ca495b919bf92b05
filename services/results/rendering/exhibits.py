"""Figures and tables: numbered, named, and referred to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from services.results.rendering import blocks, figures
from services.results.rendering.anchors import Anchors
from services.results.rendering.document import Cell, Figure, KeyFinding, ResultDocument, Table
from services.results.rendering.plain_text import one_line
from services.results.rendering.report import FigureBlock, Inline, Inlines, Ref, SectionBlock, TableBlock, Text
from services.results.rendering.values import cell

_LOW, _HIGH = "95 % low", "95 % high"
_WIDE = 8
"""Columns that fit beside each other."""


class Exhibits:
    """The figures and tables of one document."""

    def __init__(self, document: ResultDocument, anchors: Anchors, labels: dict[str, str]) -> None:
        self._labels = labels
        self._anchors = anchors
        tables = [table for table in document.tables if table.columns]
        self._tables = {table.id: self._table(table, number) for number, table in enumerate(tables, start=1)}
        self._figures = {
            figure.id: self._figure(figure, number) for number, figure in enumerate(document.figures, start=1)
        }

    def section(self) -> SectionBlock | None:
        """The section that holds them all; None if there are none."""
        content: tuple[FigureBlock | TableBlock, ...] = (*self._figures.values(), *self._tables.values())
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
        return blocks.table(
            columns,
            rows,
            self._labels,
            anchor=self._anchors.of("table", table.id),
            label=f"{self._labels['table']} {number}",
            caption=one_line(table.title),
        )

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
            caption=one_line(figure.title),
            alt=one_line(figure.alt) or one_line(figure.title) or label,
            svg=svg,
            problem=problem,
        )


def _folded(table: Table) -> tuple[Sequence[str], Sequence[Sequence[Cell]]]:
    """A wide table with the limits of an interval beside what they are limits of, for all to fit on a page."""
    columns = list(table.columns)
    places = [i for i in range(len(columns) - 2) if columns[i + 1].endswith(_LOW) and columns[i + 2].endswith(_HIGH)]
    if len(columns) <= _WIDE or not places:
        return table.columns, table.rows
    rows = [list(row) for row in table.rows]
    for place in reversed(places):
        columns[place : place + 3] = [f"{columns[place]} (95 %)"]
        for row in rows:
            row[place : place + 3] = [_estimate(*row[place : place + 3])]
    return columns, rows


def _estimate(value: Cell, low: Cell, high: Cell) -> Cell:
    shown = [_short(item) for item in (value, low, high)]
    return shown[0] if low is None and high is None else f"{shown[0]} ({shown[1]};\u00a0{shown[2]})"


def _short(value: Cell) -> str:
    rounded = float(f"{value:.3g}") if isinstance(value, float) and math.isfinite(value) else value
    return cell(rounded, {"yes": "true", "no": "false"})


def _untitled(figure: Figure) -> Mapping[str, Any]:
    """The drawing without a title of its own where the caption says the same below it."""
    title = figure.spec.get("title")
    text = title.get("text") if isinstance(title, Mapping) else title
    if not isinstance(text, str) or one_line(text) != one_line(figure.title):
        return figure.spec
    return {key: value for key, value in figure.spec.items() if key != "title"}
