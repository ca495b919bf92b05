"""Time as integers of microseconds since the epoch (UTC), and the clock that gives it."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import NewType, Protocol

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", flags=re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", flags=re.ASCII)


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux: counts while the machine is suspended, too


class Clock(Protocol):
    """Where time comes from.

    `now` is the wall clock: for moments that are shown, stored and compared between machines. Somebody may set it,
    forwards or back. `monotonic` is for durations within one process: microseconds since an unknown moment, which
    never go back and cannot be set.
    """

    def now(self) -> Instant: ...

    def monotonic(self) -> int: ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1000)

    def monotonic(self) -> int:
        return time.clock_gettime_ns(_STEADY) // 1000


class ManualClock:
    """Clocks that stand still until they are moved; for tests."""

    def __init__(self, start: int = 1_767_225_600 * SECOND) -> None:
        self._now = start
        self._steady = 1_000 * SECOND

    def now(self) -> Instant:
        return Instant(self._now)

    def monotonic(self) -> int:
        return self._steady

    def advance(self, *, seconds: float) -> None:
        """Time goes by: both clocks move. Raises ValueError when `seconds` is negative."""
        if seconds < 0:
            raise ValueError("time does not go back; jump() sets the wall clock back")
        self._now += round(seconds * SECOND)
        self._steady += round(seconds * SECOND)

    def jump(self, *, seconds: float) -> None:
        """Somebody sets the wall clock, forwards or (negative) back; no time goes by."""
        self._now += round(seconds * SECOND)


def from_datetime(moment: datetime) -> Instant:
    return Instant((moment - _EPOCH) // timedelta(microseconds=1))


def rfc3339(instant: int) -> str:
    """RFC 3339 in UTC with `Z`; a fraction only when it is not zero, in milliseconds."""
    seconds, rest = divmod(instant, SECOND)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    millis = rest // 1000
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"


def parse_rfc3339(text: str) -> Instant:
    """Read an RFC 3339 moment. Raises ValueError."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("must be an RFC 3339 moment such as 2026-01-31T12:00:00Z")
    head, _, tail = text.upper().replace("Z", "+00:00").partition(".")
    if tail:
        digits = re.match(r"\d+", tail)
        assert digits is not None
        head += "." + digits[0][:6].ljust(6, "0") + tail[digits.end() :]
    return from_datetime(datetime.fromisoformat(head))


def parse_day(text: str) -> Instant | None:
    """The first instant of a day written YYYY-MM-DD, or None when it is not written so. Raises ValueError."""
    if not _DATE.fullmatch(text):
        return None
    day = date.fromisoformat(text)
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC))
