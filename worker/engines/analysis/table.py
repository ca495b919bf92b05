"""The typed table that every task works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MIN_LEVELS = 2
MAX_LEVELS = 10


class ColumnType(StrEnum):
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    CATEGORY = "category"
    TEXT = "text"


NUMERIC = frozenset({ColumnType.NUMBER, ColumnType.INTEGER})


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `cells` holds canonical text (``1234.5``, ``true``, ``2024-05-31``), None where missing.

    Numbers stay text until they are needed, so that no digit of the file is lost.
    """

    name: str
    type: ColumnType
    cells: tuple[str | None, ...]
    unit: str | None = None
    identifier: bool = False
    """The values only name or number the rows, so nothing is modelled from them unless asked."""

    @property
    def numeric(self) -> bool:
        return self.type in NUMERIC

    @property
    def missing(self) -> int:
        return self.cells.count(None)

    def decimals(self) -> list[Decimal | None]:
        """The exact values; only for numeric columns."""
        return [None if cell is None else Decimal(cell) for cell in self.cells]

    def floats(self) -> npt.NDArray[np.float64]:
        """The values as doubles, NaN where missing; only for numeric columns."""
        import numpy as np

        return np.array([float("nan") if cell is None else float(cell) for cell in self.cells], dtype=np.float64)

    def levels(self) -> list[str]:
        """The distinct values present: numbers by size, everything else by text."""
        distinct = {cell for cell in self.cells if cell is not None}
        if self.numeric:
            return sorted(distinct, key=lambda cell: (Decimal(cell), cell))
        return sorted(distinct)


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset: columns of equal length. `sha256` is of the bytes it was read from."""

    name: str
    columns: tuple[Column, ...]
    rows: int
    sha256: str

    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def find(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def __getitem__(self, name: str) -> Column:
        column = self.find(name)
        if column is None:
            raise KeyError(name)
        return column

    def measures(self) -> list[Column]:
        """Numeric columns that measure something: not identifiers, more than one value."""
        return [c for c in self.columns if c.numeric and not c.identifier and len(set(c.cells) - {None}) > 1]

    def groupings(self) -> list[Column]:
        """Categories and booleans with two to ten levels."""
        kinds = (ColumnType.CATEGORY, ColumnType.BOOLEAN)
        return [c for c in self.columns if c.type in kinds and MIN_LEVELS <= len(c.levels()) <= MAX_LEVELS]


def complete_rows(columns: Sequence[Column]) -> list[int]:
    """Indices of the rows in which none of `columns` is missing."""
    return [i for i, cells in enumerate(zip(*(c.cells for c in columns), strict=True)) if None not in cells]
