"""Readings: figures that are looked up now and then, off the hot path, and kept for whoever scrapes.

A reading that costs something, such as a sum over a whole table, is `shared`: of several replicas one, by a leased
row, takes it, and the others show nothing. One that fails shows nothing either, rather than what was true once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from kit.db.database import Database
from kit.db.leases import Leases
from kit.ids import Ids
from kit.telemetry.metrics import Counter, Gauge
from kit.times import SECOND, Clock

log = structlog.get_logger("readings")
FAILURES = Counter("prsm_reading_failures_total", "Readings of metrics that failed.", ["reading"])
AGE = Gauge("prsm_reading_timestamp_seconds", "When a reading was last taken, in Unix time.", ["reading"])
_LATE = 60.0
"""How late, in seconds, the holder of a shared reading may be at most before another replica takes it."""
_SHARE = 20
"""A reading that takes long is taken less often: at least so many times as long passes between two."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Takes figures every `every` seconds: `take` sets the `gauges`, and nothing else."""

    name: str
    every: float
    take: Callable[[], Awaitable[None]]
    gauges: tuple[Gauge, ...]
    shared: bool = False


class Readings:
    """Run it as a task beside the server; only where metrics are on."""

    def __init__(self, readings: Sequence[Reading], *, db: Database, leases: Leases, clock: Clock, ids: Ids) -> None:
        self._readings = readings
        self._db = db
        self._leases = leases
        self._clock = clock
        self._holder = ids.new()
        FAILURES.prepare([reading.name for reading in readings])

    async def run(self) -> None:
        try:
            await asyncio.gather(*(self._keep_taking(reading) for reading in self._readings))
        finally:
            shared = [_lease(reading) for reading in self._readings if reading.shared]
            await asyncio.shield(self._db.write(lambda db: self._give_back(db, shared)))

    async def _keep_taking(self, reading: Reading) -> None:
        while True:
            begun = time.monotonic()
            await self.take(reading)
            taken = time.monotonic() - begun
            await asyncio.sleep(max(reading.every - taken, _SHARE * taken))

    async def take(self, reading: Reading) -> None:
        """Once, if it is this replica's to take."""
        try:
            if reading.shared and not await self._db.write(lambda db: self._hold(db, reading)):
                self._forget(reading)
                return
            await reading.take()
        except Exception as error:
            FAILURES.labels(reading.name).inc()
            self._forget(reading)
            log.warning("reading failed", reading=reading.name, cause=repr(error))
            return
        AGE.labels(reading.name).set(self._clock.now() / SECOND)

    @staticmethod
    def _forget(reading: Reading) -> None:
        for gauge in reading.gauges:
            gauge.forget()
        AGE.drop(reading.name)

    def _hold(self, db: Connection, reading: Reading) -> bool:
        now = self._clock.now()
        lasts = min(3 * reading.every, reading.every + _LATE)
        return self._leases.take(db, _lease(reading), self._holder, now, now + round(lasts * SECOND))

    def _give_back(self, db: Connection, names: Sequence[str]) -> None:
        for name in names:
            self._leases.give_back(db, name, self._holder)


def _lease(reading: Reading) -> str:
    return f"reading {reading.name}"
