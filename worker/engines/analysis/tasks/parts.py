"""Parts of a table: some of its rows, or a category reduced to two levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.packed import PackedCells, PackedDays, PackedLevels, PackedNumbers
from worker.engines.analysis.table import Column, ColumnType, Table

Rows = npt.NDArray[np.intp]


def rows_of(table: Table, rows: Rows) -> Table:
    """The table of those rows, in their order."""
    columns = tuple(replace(column, cells=_cells(column.cells, rows)) for column in table.columns)
    return replace(table, columns=columns, rows=len(rows))


def _cells(cells: Sequence[str | None], rows: Rows) -> Sequence[str | None]:
    match cells:
        case PackedNumbers():
            return PackedNumbers(cells.values[rows])
        case PackedDays():
            return PackedDays(cells.values[rows])
        case PackedLevels():
            return PackedLevels(cells.codes[rows], cells.levels)
        case PackedCells():
            return tuple(cells[i] for i in rows.tolist())
    return tuple(cells[i] for i in rows.tolist())


def halves(rows: int, seed: int) -> tuple[Rows, Rows]:
    """Row numbers, parted at random by the seed; each half in the order of the table."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(rows)
    return np.sort(order[: rows // 2]), np.sort(order[rows // 2 :])


def two_levels(table: Table, group: Column, level: str, than: str | None) -> Table:
    """The table with `group` reduced to `level` and `than`, or to `level` and ``not level``; None in other rows."""
    codes, levels = group.codes()
    other = than if than is not None else f"not {level}"
    here = codes == levels.index(level)
    there = codes == levels.index(than) if than is not None else (codes >= 0) & ~here
    names = sorted((level, other))
    places = np.full(len(codes), -1, dtype=np.int32)
    places[here], places[there] = names.index(level), names.index(other)
    made = replace(group, type=ColumnType.CATEGORY, cells=PackedLevels(places, tuple(names)))
    return replace(table, columns=tuple(made if column.name == group.name else column for column in table.columns))
