"""A case, its trials, and the law by which what is found is judged."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

Outcomes = Mapping[str, float | None]
"""What one data set gave, by quantity: 1.0 for a hit, 0.0 for none, or a share; None where the product gave nothing."""

COVERAGE = "coverage"
REJECTION = "false positives"
ERROR_RATE = "error rate"

_LEAST_Z = 3.0


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is counted. `kind` tells which side is safe: a coverage above `nominal`, or a rate below it.

    `claimed` is empty where the product claims the nominal value, else a sentence that says why it does not.
    """

    name: str
    kind: str
    nominal: float
    unclaimed: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of data at one size. `share` is the part of the runs asked for that is done; for costly tasks."""

    name: str
    n: int
    quantities: tuple[Quantity, ...]
    trial: Callable[[np.random.Generator], Outcomes]
    share: float = 1.0

    @property
    def label(self) -> str:
        return f"{self.name}, n = {self.n}"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured quantity. `runs` counts the data sets in which it was defined; `std_error` is that of `found` if the
    nominal value holds."""

    case: str
    n: int
    quantity: str
    kind: str
    nominal: float
    found: float | None
    std_error: float | None
    z: float | None
    runs: int
    undefined: int
    verdict: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Tally:
    """Sums of outcomes by quantity; tallies of parts can be added."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}
        self.undefined: dict[str, int] = {}

    def add(self, outcomes: Outcomes) -> None:
        for name, value in outcomes.items():
            if value is None:
                self.undefined[name] = self.undefined.get(name, 0) + 1
            else:
                self.values.setdefault(name, []).append(float(value))

    def merge(self, other: Tally) -> None:
        for name, values in other.values.items():
            self.values.setdefault(name, []).extend(values)
        for name, count in other.undefined.items():
            self.undefined[name] = self.undefined.get(name, 0) + count


def generator(seed: int, case: Case, part: int) -> np.random.Generator:
    """The random numbers of one part of a case: they depend on nothing but the seed, the case's label and the part."""
    words = [seed, zlib.crc32(case.label.encode()), part]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def run_part(case: Case, seed: int, part: int, runs: int) -> Tally:
    """`runs` data sets of a case."""
    rng = generator(seed, case, part)
    tally = Tally()
    for _ in range(runs):
        tally.add(case.trial(rng))
    return tally


def rows_of(case: Case, tally: Tally) -> list[Row]:
    """What was found, not judged yet."""
    return [_row(case, quantity, tally) for quantity in case.quantities]


def _row(case: Case, quantity: Quantity, tally: Tally) -> Row:
    values = tally.values.get(quantity.name, [])
    runs, undefined = len(values), tally.undefined.get(quantity.name, 0)
    found = error = z = None
    if runs:
        found = math.fsum(values) / runs
        # The binomial law at the nominal value; a share within (0, 1) varies less than a yes or no of the same mean.
        error = math.sqrt(quantity.nominal * (1 - quantity.nominal) / runs)
        z = (found - quantity.nominal) / error
    return Row(
        case.name, case.n, quantity.name, quantity.kind, quantity.nominal, found, error, z, runs, undefined,
        note=quantity.unclaimed,
    )  # fmt: skip


def limit_of(rows: int) -> float:
    """How far |z| may go: 3, or further so that among so many rows chance oversteps it once in 370 measurements."""
    alpha = 2 * NormalDist().cdf(-_LEAST_Z)
    return max(_LEAST_Z, -NormalDist().inv_cdf(alpha / 2 / max(1, rows)))


def judged(rows: Sequence[Row]) -> list[Row]:
    """The rows with verdicts: `within`, `conservative` (off on the safe side), `not claimed` or `OFF`."""
    limit = limit_of(len(rows))
    return [_with(row, _verdict(row, limit)) for row in rows]


def _verdict(row: Row, limit: float) -> str:
    if row.z is None:
        return "undefined"
    if abs(row.z) <= limit:
        return "within"
    safe = row.z > 0 if row.kind == COVERAGE else row.z < 0
    if safe:
        return "conservative"
    return "not claimed" if row.note else "OFF"


def _with(row: Row, verdict: str) -> Row:
    return Row(**{**asdict(row), "verdict": verdict})
