"""Axes of numbers and dates: their range, whether they are logarithmic, and how their figures are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engines.analysis.figures.labels import titled
from worker.engines.analysis.figures.spec import Vector, drawable
from worker.engines.analysis.table import Column, ColumnType

_DECADES = 1_000.0
"""A logarithmic axis needs largest over smallest to be this at least."""

_MARGIN = 0.04
_LARGE, _SMALL = 1e7, 1e-3
_YEARS = (1500.0, 2200.0)
_DAY_MS = 86_400_000
# From a span in days on: how a date is written, and the interval of ticks with its length in days.
_DATE_FORMATS = (
    (1_100, "%Y", "year", 365),
    (60, "%b %Y", "month", 30),
    (2, "%d %b %Y", "day", 1),
    (0, "%d %b %H:%M", "hour", 1 / 24),
)
_DATE_TICKS = 8


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis. `low` and `high` are the ends of what is drawn, in the data's unit (dates: days since 1970)."""

    title: str
    low: float
    high: float
    log: bool = False
    dated: bool = False
    format: str | None = None
    whole: bool = False
    """Only whole numbers make sense on it."""
    every: tuple[str, int] | None = None
    """For dates: the interval of ticks and how many of them lie between two."""

    def channel(self, field: str, **more: Any) -> dict[str, Any]:
        """The encoding of `field` on this axis; equal for all layers that share it."""
        ends: list[Any] = [self.low, self.high]
        if self.dated:
            scale: dict[str, Any] = {"type": "utc", "domain": [round(end * _DAY_MS) for end in ends], "nice": False}
        elif self.log:
            scale = {"type": "log", "domain": ends, "nice": False}
        else:
            scale = {"zero": False, "domain": ends, "nice": False}
        axis: dict[str, Any] = {} if self.format is None else {"format": self.format}
        if self.log:
            axis["tickCount"] = 6
        if self.whole:
            axis["tickMinStep"] = 1
        if self.every is not None:
            axis["tickCount"] = {"interval": self.every[0], "step": self.every[1]}
        kind = "temporal" if self.dated else "quantitative"
        return {"field": field, "type": kind, "title": self.title, "scale": scale, "axis": axis, **more}

    def shown(self, numbers: Vector) -> list[Any]:
        """Values as the specification holds them."""
        if self.dated:
            return [round(value * _DAY_MS) for value in numbers.tolist()]
        if self.log:
            return [float(f"{value:.6g}") for value in numbers.tolist()]
        return drawable(numbers)

    def part(self, shown: float) -> float:
        """Where a value, as the specification holds it, lies between the ends: 0 to 1."""
        if self.log:
            return float(np.log(shown / self.low) / np.log(self.high / self.low))
        value = shown / _DAY_MS if self.dated else shown
        return float((value - self.low) / (self.high - self.low))

    def edges(self, count: int, low: float, high: float) -> Vector:
        """Borders of `count` fields from `low` to `high`, equally wide as drawn."""
        return np.geomspace(low, high, count + 1) if self.log else np.linspace(low, high, count + 1)

    @property
    def said(self) -> str:
        """What the alternative text says of the axis."""
        return f"{self.title} (logarithmic axis)" if self.log else self.title


def scale_of(title: str, *numbers: Vector, log: bool = False, whole: bool = False, zero: bool = False) -> Scale:
    """The axis that holds all finite `numbers`.

    With `log` it may become logarithmic: where all values are positive, span three decades, and half of them would
    lie in the lowest tenth of a linear axis. `whole` numbers that look like years get no separators.
    """
    finite = np.concatenate([part[np.isfinite(part)] for part in numbers])
    if not len(finite):
        return Scale(title, 0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if log and low > 0 and high / low >= _DECADES and float(np.median(finite)) - low < (high - low) / 10:
        room = (high / low) ** _MARGIN
        return Scale(title, low / room, high * room, log=True, format="~g" if high >= _LARGE or low < _SMALL else None)
    years = whole and _YEARS[0] <= low and high <= _YEARS[1]
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    spread = high - low
    room = spread * _MARGIN if spread > abs(high) * 1e-12 else abs(high) * 0.1 or 1.0
    largest = max(abs(low), abs(high))
    # Where numbers are huge but differ little, all their digits are needed to tell the ticks apart.
    form = None
    if largest and (largest >= _LARGE or largest < _SMALL) and spread > largest * 1e-3:
        form = ".3~g"
    ends = (low if zero and low == 0 else low - room, high if zero and high == 0 else high + room)
    return Scale(title, *ends, format="d" if years else form, whole=whole)


def column_scale(column: Column, numbers: Vector, *others: Vector, log: bool = False) -> Scale:
    """The axis of a column: of numbers, or of dates given in days."""
    title = titled(column.name, column.unit)
    if column.type is not ColumnType.DATE:
        return scale_of(title, numbers, *others, log=log, whole=column.type is ColumnType.INTEGER)
    low, high = float(numbers.min()), float(numbers.max())
    span = high - low
    room = span * _MARGIN or 1.0
    _, form, interval, days = next(entry for entry in _DATE_FORMATS if span >= entry[0])
    step = max(1, round(span / days / _DATE_TICKS))
    return Scale(title, low - room, high + room, dated=True, format=form, every=(interval, step))


def numbers_of(column: Column) -> Vector:
    """A numeric column's values, or a date column's days."""
    return column.days() if column.type is ColumnType.DATE else column.floats()
