"""Series of dates in the words of the calendar: the names of seasons' places, and slopes per year or month."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

_EPOCH = date(1970, 1, 1)
_YEAR = 365.2425
"""Days of a mean Gregorian year."""

_LEAST_YEARS = 2
_WEEKS_APART = 6.0
_SPANNED = 60.0


def place_named(season: Mapping[str, Any], result: Mapping[str, Any], which: str) -> str | None:
    """The month, quarter or day of the week where a season is `highest` or `lowest`; None where the calendar has no
    name for it."""
    period, unit, place = season["period"], season["unit"], int(season[which]) - 1
    if (unit, period) not in (("month", 12), ("quarter", 4), ("day", 7)):
        return None
    first = _EPOCH + timedelta(days=int(result["time_first"] // 1))
    if unit == "month":
        return calendar.month_name[(first.month - 1 + place) % 12 + 1]
    if unit == "quarter":
        return f"quarter {((first.month - 1) // 3 + place) % 4 + 1}"
    return calendar.day_name[(first.weekday() + place) % 7]


def slope_unit(result: Mapping[str, Any]) -> tuple[str, float]:
    """The unit of time that a slope is told in, and how many of the result's units it has: days between dates that lie
    weeks apart or span years say little."""
    unit = str(result["time_unit"])
    if unit != "day":
        return unit, 1.0
    span = result["time_last"] - result["time_first"]
    apart = span / max(1, result["n"] - 1)
    if span >= _LEAST_YEARS * _YEAR:
        return "year", _YEAR
    return ("month", _YEAR / 12) if apart >= _WEEKS_APART and span >= _SPANNED else ("day", 1.0)
