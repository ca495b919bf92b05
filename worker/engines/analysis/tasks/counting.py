"""What `profile` and `describe` say of columns that are not numbers."""

from __future__ import annotations

from collections import Counter

import numpy as np

from worker.engines.analysis.packed import PackedDays, PackedLevels, number_text
from worker.engines.analysis.table import Column


def value_counts(column: Column, most: int) -> list[tuple[str, int]]:
    """The commonest values and how often each occurs, at most `most`; equally common ones by text."""
    if column.exact:
        present = Counter(cell for cell in column.cells if cell is not None)
        return sorted(present.items(), key=lambda item: (-item[1], item[0]))[:most]
    if isinstance(column.cells, PackedLevels):
        levels = column.cells.levels
        counts = np.bincount(column.cells.codes[column.present()], minlength=len(levels))
        # Levels are in order of their texts, which a stable sort keeps.
        commonest = [k for k in np.argsort(-counts, kind="stable")[:most].tolist() if counts[k]]
        return [(levels[k], int(counts[k])) for k in commonest]
    values, counts = np.unique(column.days()[column.present()], return_counts=True)
    chosen = np.argsort(-counts, kind="stable")[:most].tolist()
    return [(_day_text(column, float(values[k])), int(counts[k])) for k in chosen]


def first_and_last(column: Column) -> tuple[str, str]:
    """The earliest and the latest of a column of dates, of which one is present at least."""
    if column.exact:
        present = [cell for cell in column.cells if cell is not None]
        return min(present), max(present)
    days = column.days()
    return _day_text(column, float(np.nanmin(days))), _day_text(column, float(np.nanmax(days)))


def _day_text(column: Column, days: float) -> str:
    return column.cells.text(days) if isinstance(column.cells, PackedDays) else number_text(days)
