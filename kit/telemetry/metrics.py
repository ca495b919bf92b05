"""Instruments, declared once where they are used. They count from the start, which costs next to nothing; whether
somebody may read them is decided by `bind`.

Names follow Prometheus: `prsm_` first, base units, `_total` for counters. A label's values come from a bounded set:
methods, codes, engines, states; never an id.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds in seconds for what somebody waits for."""
SLOW = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0)
"""Bounds in seconds for work and for streams."""

C = TypeVar("C", bound="_Cell")


class _Cell:
    """One time series."""

    __slots__ = ()


class Number(_Cell):
    """A counter's or gauge's value."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, by: float = 1.0) -> None:
        self.value += by

    def dec(self, by: float = 1.0) -> None:
        self.value -= by

    def set(self, value: float) -> None:
        self.value = value


class Distribution(_Cell):
    """A histogram's counts by bucket, not yet added up, and the sum of what was seen."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class Instrument(Generic[C]):
    """What all sorts have in common. Update one from the event loop alone: nothing here is locked."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self.name = name
        self.text = text
        self.labelnames = tuple(labels)
        self.cells: dict[tuple[str, ...], C] = {}
        _declare(self)

    def labels(self, *values: str) -> C:
        """The time series of these label values, in the order of the names."""
        cell = self.cells.get(values)
        if cell is None:
            assert len(values) == len(self.labelnames), self.name
            cell = self.cells[values] = self._cell()
        return cell

    def _cell(self) -> C:
        raise AssertionError("an instrument says of what sort its cells are")

    def prepare(self, *values: Sequence[str]) -> None:
        """Have the time series of every combination at 0 from the beginning, so that the first event is a rise."""
        combinations: list[tuple[str, ...]] = [()]
        for each in values:
            combinations = [(*left, right) for left in combinations for right in each]
        for combination in combinations:
            self.labels(*combination)


class Counter(Instrument[Number]):
    """Something that happened so many times; `name` ends with `_total`."""

    def _cell(self) -> Number:
        return Number()

    def inc(self, by: float = 1.0) -> None:
        self.labels().inc(by)


class Gauge(Instrument[Number]):
    """A value that rises and falls."""

    def _cell(self) -> Number:
        return Number()

    def inc(self, by: float = 1.0) -> None:
        self.labels().inc(by)

    def dec(self, by: float = 1.0) -> None:
        self.labels().dec(by)

    def set(self, value: float) -> None:
        self.labels().set(value)

    def replace(self, values: Mapping[tuple[str, ...], float]) -> None:
        """Have these time series and no others; an empty mapping says that nothing is known (any more)."""
        fresh: dict[tuple[str, ...], Number] = {}
        for labels, value in values.items():
            fresh[labels] = Number()
            fresh[labels].set(value)
        self.cells = fresh

    def drop(self, *labels: str) -> None:
        """Show this time series no more until it is set again."""
        self.cells.pop(labels, None)

    def forget(self) -> None:
        self.cells = {}


class Histogram(Instrument[Distribution]):
    """How often a value lay where; `bounds` are the upper ends of the buckets."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = (), *, bounds: Sequence[float] = FAST) -> None:
        self.bounds = tuple(bounds)
        super().__init__(name, text, labels)

    def _cell(self) -> Distribution:
        return Distribution(self.bounds)

    def observe(self, value: float) -> None:
        self.labels().observe(value)


class Sink(Protocol):
    """Where declared instruments go once metrics are on."""

    def add(self, instrument: Instrument[Any]) -> None: ...


_declared: dict[str, Instrument[Any]] = {}
_sink: Sink | None = None


def _declare(instrument: Instrument[Any]) -> None:
    assert instrument.name not in _declared, f"{instrument.name} is declared twice"
    _declared[instrument.name] = instrument
    if _sink is not None:
        _sink.add(instrument)


def bind(sink: Sink) -> None:
    """Hand over all instruments; what is declared later (in modules that come with the first use) follows then."""
    global _sink
    _sink = sink
    for instrument in _declared.values():
        sink.add(instrument)


def is_bound() -> bool:
    return _sink is not None
