"""Figures and tables: numbered, named, and referred to."""

from __future__ import annotations

from services.results.rendering import blocks, figures
from services.results.rendering.anchors import Anchors
from services.results.rendering.document import Figure, KeyFinding, ResultDocument, Table
from services.results.rendering.plain_text import one_line
from services.results.rendering.report import FigureBlock, Inline, Inlines, Ref, SectionBlock, TableBlock, Text


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
        named: list[TableBlock | FigureBlock | None] = [
            self._figures.get(finding.figure or ""),
            self._tables.get(finding.table or ""),
        ]
        result: list[Inline] = []
        for block in named:
            if block is not None:
                result += [Text(", ")] if result else []
                result.append(Ref(block.anchor, (Text(block.label),)))
        return tuple(result)

    def _table(self, table: Table, number: int) -> TableBlock:
        return blocks.table(
            table.columns,
            table.rows,
            self._labels,
            anchor=self._anchors.of("table", table.id),
            label=f"{self._labels['table']} {number}",
            caption=one_line(table.title),
        )

    def _figure(self, figure: Figure, number: int) -> FigureBlock:
        svg: str | None = None
        problem: str | None = None
        try:
            svg = figures.draw(figure.spec)
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
