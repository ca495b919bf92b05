"""Cells of large columns: arrays instead of one text object each.

Every kind is a sequence of canonical texts like a small column's tuple of them, made when asked for: right anywhere,
and slow over a whole column, so that what works on columns takes the arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

A = TypeVar("A", "npt.NDArray[np.float64]", "npt.NDArray[np.int32]", "npt.NDArray[np.bool_]")
_EPOCH = datetime(1970, 1, 1)
_WHOLE = 1e16
_BLOCK = 65_536


class PackedCells(Sequence[str | None]):
    """The common part: length, indexing and iteration over texts."""

    __slots__ = ()

    def texts(self, start: int, stop: int) -> list[str | None]:
        """The texts of the rows from `start` to before `stop`."""
        raise TypeError(f"{type(self).__name__} has no texts")

    @overload
    def __getitem__(self, index: int) -> str | None: ...

    @overload
    def __getitem__(self, index: slice) -> list[str | None]: ...

    def __getitem__(self, index: int | slice) -> str | list[str | None] | None:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self.texts(start, stop) if step == 1 else [self[i] for i in range(start, stop, step)]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return self.texts(place, place + 1)[0]

    def __iter__(self) -> Iterator[str | None]:
        for start in range(0, len(self), _BLOCK):
            yield from self.texts(start, min(start + _BLOCK, len(self)))


class PackedNumbers(PackedCells):
    """Doubles, NaN where missing. Also good for a part of a column: the values of a group, say."""

    __slots__ = ("values",)

    def __init__(self, values: npt.NDArray[np.float64]) -> None:
        self.values = frozen(values)

    def __len__(self) -> int:
        return len(self.values)

    def texts(self, start: int, stop: int) -> list[str | None]:
        return _texts(self.values[start:stop], number_text)


class PackedDays(PackedCells):
    """Dates and times as days since 1970-01-01, NaN where missing. All texts have a time of day, or none has."""

    __slots__ = ("timed", "values")

    def __init__(self, values: npt.NDArray[np.float64]) -> None:
        self.values = frozen(values)
        self.timed = bool(((values != values // 1) & (values == values)).any())

    def __len__(self) -> int:
        return len(self.values)

    def texts(self, start: int, stop: int) -> list[str | None]:
        return _texts(self.values[start:stop], self.text)

    def text(self, days: float) -> str:
        """A moment as this column writes it."""
        return day_text(days, timed=self.timed)


class PackedLevels(PackedCells):
    """Places (from 0, -1 where missing) in a list of distinct texts that is in order."""

    __slots__ = ("codes", "levels")

    def __init__(self, codes: npt.NDArray[np.int32], levels: Sequence[str]) -> None:
        self.codes = frozen(codes)
        self.levels = levels

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self, start: int, stop: int) -> list[str | None]:
        levels = self.levels
        return [None if code < 0 else levels[code] for code in self.codes[start:stop].tolist()]


def floats_of(cells: Sequence[str | None]) -> npt.NDArray[np.float64]:
    """Number cells without a missing one as doubles; fast where they are packed."""
    import numpy as np

    if isinstance(cells, PackedNumbers):
        return cells.values
    return np.array([float(cell) for cell in cells if cell is not None], dtype=np.float64)


def _texts(values: npt.NDArray[np.float64], text: Callable[[float], str]) -> list[str | None]:
    return [None if value != value else text(value) for value in values.tolist()]


def frozen(array: A) -> A:
    """The array, no longer to be written into."""
    array.flags.writeable = False
    return array


def number_text(value: float) -> str:
    """The shortest text that reads back as `value`."""
    return str(int(value)) if abs(value) < _WHOLE and value.is_integer() else repr(value)


def days_since_epoch(iso: str) -> float:
    """Days since 1970-01-01 (with a fraction where there is a time of day)."""
    return (datetime.fromisoformat(iso) - _EPOCH) / timedelta(days=1)


def day_text(days: float, *, timed: bool) -> str:
    """ISO text of a moment in days since 1970, to the millisecond where it has a fraction of a second."""
    moment = _EPOCH + timedelta(milliseconds=round(days * 86_400_000))
    if moment.microsecond:
        return moment.isoformat(timespec="milliseconds").rstrip("0")
    if timed:
        return moment.isoformat(timespec="seconds")
    return moment.date().isoformat()
