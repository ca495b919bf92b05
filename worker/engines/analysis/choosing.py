"""What the data suggest: which column to explain, what it goes with, which one is the time, which one groups."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from worker.engines.analysis.table import MAX_LEVELS, MIN_LEVELS, Column, ColumnType, Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE = 5_000
"""Rows that are looked at to choose; results are computed from all of them."""
MOST_COLUMNS = 60
"""Columns that are compared with each other to choose."""
_LEAST_TIMES = 4
_TIME_NAMES = re.compile(
    r"(^|[^a-z])(year|years|yr|date|datetime|time|month|day|week|quarter|period|timestamp|decade|hour)([^a-z]|$)"
)
_SPLIT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOST_COUNT = 1_000
_MOST_REPEATED = 200


class Sample:
    """The numeric columns on a seeded sample of rows."""

    def __init__(self, table: Table, seed: int) -> None:
        import numpy as np

        self.rows = np.arange(table.rows)
        if table.rows > SAMPLE:
            drawn = np.random.Generator(np.random.PCG64(seed)).choice(table.rows, SAMPLE, replace=False)
            self.rows = np.sort(drawn)

    def correlation(self, x: Column, y: Column) -> float:
        """Pearson's r over the rows that have both; 0 where it is not defined or rests on fewer than three rows."""
        return self._correlation(self.values(x), self.values(y))

    def values(self, column: Column) -> npt.NDArray[np.float64]:
        return column.floats()[self.rows]

    def _correlation(self, a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
        import numpy as np

        both = ~(np.isnan(a) | np.isnan(b))
        if int(both.sum()) < 3:
            return 0.0
        a, b = a[both], b[both]
        scale = max(float(np.abs(a).max()), 1e-300), max(float(np.abs(b).max()), 1e-300)
        a, b = a / scale[0], b / scale[1]
        a, b = a - a.mean(), b - b.mean()
        size = float(np.sqrt((a * a).sum() * (b * b).sum()))
        # Rounded, so that the order of equals does not hang on the last digit of a sum.
        return round(float((a * b).sum()) / size, 9) if size > 0 else 0.0

    def most_connected(self, measures: Sequence[Column]) -> Column:
        """Of the columns with the fewest missing values the one whose mean absolute correlation is largest."""
        least = min(column.missing for column in measures)
        complete = [column for column in measures if column.missing == least]
        others = measures[:MOST_COLUMNS]
        values = {column.name: self.values(column) for column in (*complete[:MOST_COLUMNS], *others)}

        def strength(column: Column) -> float:
            found = [abs(self._correlation(values[column.name], values[o.name])) for o in others if o is not column]
            return round(sum(found) / len(found), 9) if found else 0.0

        return max(complete[:MOST_COLUMNS], key=strength)

    def share_explained(self, response: Column, group: Column) -> float:
        """The root of the share of the response's variance between the levels of `group`, adjusted for their number."""
        import numpy as np

        values, codes = self.values(response), group.codes()[0][self.rows]
        both = ~np.isnan(values) & (codes >= 0)
        y, g = values[both], codes[both]
        counts = np.bincount(g)
        n, k = len(y), int((counts > 0).sum())
        total = float(((y - y.mean()) ** 2).sum()) if n else 0.0
        if n <= k or not total > 0 or not np.isfinite(total):
            return 0.0
        means = np.bincount(g, weights=y) / np.maximum(counts, 1)
        within = float(((y - means[g]) ** 2).sum())
        return round(math.sqrt(max(0.0, 1 - within / total * (n - 1) / (n - k))), 9)

    def by_strength(self, response: Column, candidates: Sequence[Column]) -> list[Column]:
        """Numeric columns and categories, those that go with a numeric response most first."""

        def strength(column: Column) -> float:
            if column.numeric:
                return abs(self.correlation(response, column))
            return self.share_explained(response, column)

        return sorted(candidates, key=lambda column: -strength(column))

    def by_correlation(self, response: Column, candidates: Sequence[Column]) -> list[Column]:
        """The candidates, those that go with the response most first."""
        return sorted(candidates, key=lambda column: -abs(self.correlation(response, column)))


def is_time(column: Column) -> bool:
    """A date, or a number under the name of a time."""
    name = _SPLIT.sub(" ", column.name).lower()
    named = column.numeric and _TIME_NAMES.search(name) is not None
    return (column.type is ColumnType.DATE or named) and column.distinct >= _LEAST_TIMES


def names_time(name: str) -> bool:
    """Whether a column's name is that of a time."""
    return _TIME_NAMES.search(_SPLIT.sub(" ", name).lower()) is not None


def is_two_level(column: Column) -> bool:
    """Words or truth values, two of them."""
    return not column.numeric and column.type is not ColumnType.DATE and column.distinct == MIN_LEVELS


def is_zero_one(column: Column) -> bool:
    """Numbers that are 0 and 1 only."""
    return (
        column.numeric and column.distinct == MIN_LEVELS and {float(level) for level in column.levels()} == {0.0, 1.0}
    )


def is_count(column: Column) -> bool:
    """Whole numbers from 0, repeated as counts are: few different ones, zero or one among them, a long tail upwards."""
    import numpy as np

    if column.type is not ColumnType.INTEGER or not 3 <= column.distinct <= _MOST_REPEATED:
        return False
    values = column.floats()[column.present()]
    low, high, mean = float(values.min()), float(values.max()), float(values.mean())
    if low < 0 or low > 1 or high > _MOST_COUNT or mean <= 0:
        return False
    spread = float(np.var(values))
    tail = high - mean > mean - low
    return tail and 0.5 * mean <= spread and column.distinct < max(8, len(values) / 2)


def can_group(column: Column, most: int = MAX_LEVELS) -> bool:
    """Levels that a comparison can be made of: two to `most`, at least two of them with several rows."""
    import numpy as np

    if column.type in (ColumnType.TEXT, ColumnType.DATE) or not MIN_LEVELS <= column.distinct <= most:
        return False
    codes, levels = column.codes()
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    return int((counts > 1).sum()) >= MIN_LEVELS


def repeated_groupings(table: Table) -> list[Column]:
    """Categories of which every level has several rows."""
    import numpy as np

    found = []
    for column in table.groupings():
        codes, levels = column.codes()
        if int(np.bincount(codes[codes >= 0], minlength=len(levels)).min()) > 1:
            found.append(column)
    return found
