"""The typed table that every task works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from worker.engines.analysis.packed import (
    PackedCells,
    PackedDays,
    PackedLevels,
    PackedNumbers,
    days_since_epoch,
    frozen,
    number_text,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MIN_LEVELS = 2
MAX_LEVELS = 10
_LEAST_NAMES, _NEARLY_ALL, _LONGEST_NAME = 10, 0.95, 40


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
    """One column, in one of two forms.

    *Exact*: `cells` is a tuple of canonical texts (``1234.5``, ``true``, ``2024-05-31``), None where missing. Numbers
    stay text until they are needed, so that no digit of the file is lost. *Packed*, for large data: `cells` is a
    :class:`PackedCells` of doubles or codes, which gives the same kind of text when indexed, slowly. Tasks take
    `floats`, `codes`, `days` and `present`, which serve both; the arrays are shared and must not be written into.
    """

    name: str
    type: ColumnType
    cells: Sequence[str | None]
    unit: str | None = None
    identifier: bool = False
    """The values only name or number the rows, so nothing is modelled from them unless asked."""
    note: str | None = None
    """What a reader of figures from this column has to know, a sentence."""
    _cache: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def exact(self) -> bool:
        """Whether the texts are kept, with every digit of the data."""
        return not isinstance(self.cells, PackedCells)

    @property
    def numeric(self) -> bool:
        return self.type in NUMERIC

    @property
    def names_rows(self) -> bool:
        """An identifier, or short texts of which (nearly) every one is different, as codes and names of rows are."""
        if self.identifier or self.type is not ColumnType.TEXT:
            return self.identifier
        found: bool = self._cached("names_rows", self._are_names)
        return found

    def _are_names(self) -> bool:
        count = len(self.cells) - self.missing
        if count < _LEAST_NAMES or self.distinct < _NEARLY_ALL * count:
            return False
        return all(len(level) <= _LONGEST_NAME and len(level.split()) <= 3 for level in self.levels()[:1000])

    @property
    def missing(self) -> int:
        return len(self.cells) - int(self.present().sum())

    @property
    def distinct(self) -> int:
        """How many different values are present."""
        found: int = self._cached("distinct", self._count_distinct)
        return found

    def present(self) -> npt.NDArray[np.bool_]:
        """By row, whether there is a value."""
        found: npt.NDArray[np.bool_] = self._cached("present", self._find_present)
        return found

    def decimals(self) -> list[Decimal | None]:
        """The exact values; only for exact numeric columns."""
        return [None if cell is None else Decimal(cell) for cell in self.cells]

    def floats(self) -> npt.NDArray[np.float64]:
        """The values as doubles, correctly rounded, NaN where missing; only for numeric columns."""
        if isinstance(self.cells, PackedNumbers):
            return self.cells.values
        found: npt.NDArray[np.float64] = self._cached("floats", lambda: self._array(float))
        return found

    def doubled_ranks(self) -> npt.NDArray[np.int32]:
        """Twice the mid-ranks of a numeric column without a missing value: whole numbers."""
        from worker.engines.analysis.numerics.many_pairs import doubled_ranks

        found: npt.NDArray[np.int32] = self._cached("ranks", lambda: frozen(doubled_ranks(self.floats())))
        return found

    def days(self) -> npt.NDArray[np.float64]:
        """Dates as days since 1970-01-01 with the time of day as a fraction, NaN where missing; only for dates."""
        if isinstance(self.cells, PackedDays):
            return self.cells.values
        found: npt.NDArray[np.float64] = self._cached("days", lambda: self._array(days_since_epoch))
        return found

    def codes(self) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
        """By row the place of its value in the levels, -1 where missing; and the levels as `levels` orders them."""
        found: tuple[npt.NDArray[np.int32], tuple[str, ...]] = self._cached("codes", self._make_codes)
        return found

    def levels(self) -> list[str]:
        """The distinct values present: numbers by size, everything else by text."""
        return list(self.codes()[1])

    def _cached(self, key: str, make: Callable[[], Any]) -> Any:
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def _array(self, value: Callable[[str], float]) -> npt.NDArray[np.float64]:
        import numpy as np

        missing = float("nan")
        return frozen(np.array([missing if cell is None else value(cell) for cell in self.cells], dtype=np.float64))

    def _find_present(self) -> npt.NDArray[np.bool_]:
        import numpy as np

        match self.cells:
            case PackedNumbers() | PackedDays():
                return frozen(~np.isnan(self.cells.values))
            case PackedLevels():
                return frozen(self.cells.codes >= 0)
        return frozen(np.array([cell is not None for cell in self.cells], dtype=np.bool_))

    def _count_distinct(self) -> int:
        import numpy as np

        match self.cells:
            case PackedNumbers() | PackedDays():
                ordered = np.sort(self.cells.values[self.present()])
                return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if len(ordered) else 0
            case PackedLevels():
                return int(np.count_nonzero(np.bincount(self.cells.codes[self.present()])))
        return len(set(self.cells) - {None})

    def _make_codes(self) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
        import numpy as np

        if isinstance(self.cells, PackedCells):
            return self._packed_codes(self.cells)
        texts = {cell for cell in self.cells if cell is not None}
        ordered = sorted(texts, key=lambda cell: (Decimal(cell), cell)) if self.numeric else sorted(texts)
        places: dict[str | None, int] = {level: place for place, level in enumerate(ordered)}
        places[None] = -1
        return frozen(np.array([places[cell] for cell in self.cells], dtype=np.int32)), tuple(ordered)

    def _packed_codes(self, cells: PackedCells) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
        import numpy as np

        if isinstance(cells, PackedLevels):
            used = np.bincount(cells.codes[self.present()], minlength=len(cells.levels)) > 0
            if used.all():
                return cells.codes, tuple(cells.levels)
            renumbered = np.append(np.cumsum(used, dtype=np.int32) - 1, np.int32(-1)).astype(np.int32)
            levels = tuple(cells.levels[place] for place in np.flatnonzero(used).tolist())
            return frozen(renumbered[cells.codes]), levels
        text = cells.text if isinstance(cells, PackedDays) else number_text
        values, present = (self.days() if isinstance(cells, PackedDays) else self.floats()), self.present()
        distinct, places = np.unique(values[present], return_inverse=True)
        codes = np.full(len(values), -1, dtype=np.int32)
        codes[present] = places
        return frozen(codes), tuple(text(value) for value in distinct.tolist())


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
        return [c for c in self.columns if c.numeric and not c.identifier and c.distinct > 1]

    def groupings(self) -> list[Column]:
        """Categories and booleans with two to ten levels."""
        kinds = (ColumnType.CATEGORY, ColumnType.BOOLEAN)
        return [c for c in self.columns if c.type in kinds and MIN_LEVELS <= c.distinct <= MAX_LEVELS]


def complete_rows(columns: Sequence[Column]) -> npt.NDArray[np.intp]:
    """Indices of the rows in which none of `columns` is missing; of one column at least."""
    import numpy as np

    present = columns[0].present().copy()
    for column in columns[1:]:
        present &= column.present()
    return np.flatnonzero(present)
