"""What is seen of writes from outside: how long they wait and take, and how many are under way."""

from __future__ import annotations

from time import perf_counter

from kit.telemetry import tracing
from kit.telemetry.metrics import Counter, Gauge, Histogram
from kit.telemetry.tracing import Kind

DURATION = Histogram(
    "prsm_db_write_duration_seconds", "Units of work, from being asked for until they are durable or refused."
)
WAIT = Histogram("prsm_db_write_wait_seconds", "What of that passes before a unit of work begins.")
UNDER_WAY = Gauge("prsm_db_writes_in_progress", "Units of work that wait or run.")
ERRORS = Counter("prsm_db_errors_total", "Database calls that found it away, or were run again.", ["kind"])
IN_USE = Gauge("prsm_db_pool_connections_in_use", "PostgreSQL connections taken from the pool.")
SIZE = Gauge("prsm_db_pool_connections_max", "PostgreSQL connections that the pool may have.")
ERRORS.prepare(("unavailable", "retried"))


class Write:
    """One unit of work; `begun` is when its function was first called, by `perf_counter`."""

    __slots__ = ("_asked", "_span", "begun")

    def __init__(self) -> None:
        self._asked = perf_counter()
        self.begun = 0.0
        self._span = tracing.start_child("db.write", Kind.CLIENT)
        UNDER_WAY.inc()

    def end(self) -> None:
        UNDER_WAY.dec()
        DURATION.observe(perf_counter() - self._asked)
        if self.begun:
            WAIT.observe(self.begun - self._asked)
        if self._span is not None:
            self._span.end()
