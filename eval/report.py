"""What a part of the evaluation found: tables for people, figures for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading. A float is shown with three digits after the point; None is shown as nothing."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def text(self) -> str:
        """Markdown."""
        cells = [[_shown(cell) for cell in row] for row in self.rows]
        widths = [max(len(name), *(len(row[i]) for row in cells)) if cells else len(name) for i, name in self._names()]
        lines = [_line([name for _, name in self._names()], widths), _line(["-" * width for width in widths], widths)]
        lines += [_line(row, widths) for row in cells]
        return "\n".join([f"### {self.title}", "", *lines, *(["", self.note] if self.note else [])])

    def _names(self) -> list[tuple[int, str]]:
        return list(enumerate(self.columns))


@dataclass(frozen=True, slots=True)
class Report:
    """`problems` are what must not be: any of them makes the evaluation fail. `figures` are the numbers by name."""

    part: str
    tables: Sequence[Table] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[str] = ()

    def text(self) -> str:
        blocks = [f"## {self.part}", *(table.text() for table in self.tables)]
        if self.problems:
            blocks.append("\n".join(["Problems:", *(f"- {problem}" for problem in self.problems)]))
        return "\n\n".join(blocks)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell).replace("|", "\\|")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
