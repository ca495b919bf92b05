"""Dates in the forms people write them, brought to ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

_TIME = r"(?:[T ]+(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,][0-9]+)?)?[ ]*(?P<half>[AaPp][Mm])?"
_ZONE = r"[ ]*(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(r"(?P<y>[0-9]{4})(?P<sep>[-/.])(?P<m>[0-9]{1,2})(?P=sep)(?P<d>[0-9]{1,2})" + _TIME + _ZONE)
_YEAR_MONTH = re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})")
_SHORT = re.compile(r"(?P<a>[0-9]{1,2})(?P<sep>[-/.])(?P<b>[0-9]{1,2})(?P=sep)(?P<y>[0-9]{4}|[0-9]{2})" + _TIME + _ZONE)
_DAY_NAME = re.compile(r"(?P<d>[0-9]{1,2})[ -](?P<name>[A-Za-z]{3,9})\.?[ -](?P<y>[0-9]{4}|[0-9]{2})" + _TIME + _ZONE)
_NAME_DAY = re.compile(r"(?P<name>[A-Za-z]{3,9})\.? (?P<d>[0-9]{1,2}),? (?P<y>[0-9]{4})" + _TIME + _ZONE)


@dataclass(frozen=True, slots=True)
class DateForm:
    """One way of writing dates. `parse` gives ISO text, or None for what is no date of this form."""

    label: str
    parse: Callable[[str], str | None]


def _moment(match: re.Match[str], year: str, month: int, day: int) -> str | None:
    parts = match.groupdict()
    number = int(year)
    if len(year) == 2:  # As POSIX reads two digits: 69–99 are the 1900s.
        number += 1900 if number >= 69 else 2000
    hour = int(parts.get("H") or 0)
    if parts.get("half"):
        hour = hour % 12 + (12 if parts["half"].lower() == "pm" else 0)
    try:
        moment = datetime(number, month, day, hour, int(parts.get("M") or 0), int(parts.get("S") or 0))
        if parts.get("zone"):
            moment = moment.replace(tzinfo=_zone(parts["zone"])).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return moment.date().isoformat() if parts.get("H") is None else moment.isoformat(timespec="seconds")


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _iso(cell: str) -> str | None:
    if match := _ISO.fullmatch(cell):
        return _moment(match, match["y"], int(match["m"]), int(match["d"]))
    if match := _YEAR_MONTH.fullmatch(cell):
        return _moment(match, match["y"], int(match["m"]), 1)
    return None


def _day_first(cell: str) -> str | None:
    match = _SHORT.fullmatch(cell)
    return _moment(match, match["y"], int(match["b"]), int(match["a"])) if match else None


def _month_first(cell: str) -> str | None:
    match = _SHORT.fullmatch(cell)
    return _moment(match, match["y"], int(match["a"]), int(match["b"])) if match else None


def _named(cell: str) -> str | None:
    match = _DAY_NAME.fullmatch(cell) or _NAME_DAY.fullmatch(cell)
    if match is None or match["name"][:3].lower() not in _MONTHS:
        return None
    return _moment(match, match["y"], _MONTHS.index(match["name"][:3].lower()) + 1, int(match["d"]))


ISO = DateForm("year-month-day", _iso)
DAY_FIRST = DateForm("day/month/year", _day_first)
MONTH_FIRST = DateForm("month/day/year", _month_first)
NAMED = DateForm("named months", _named)


def date_forms(*, day_first: bool) -> Sequence[DateForm]:
    """The forms in order of preference; where both orders of day and month fit, `day_first` decides."""
    short = (DAY_FIRST, MONTH_FIRST) if day_first else (MONTH_FIRST, DAY_FIRST)
    return (ISO, *short, NAMED)


def days_since_epoch(iso: str) -> float:
    """Days since 1970-01-01 (with a fraction where there is a time of day)."""
    return (datetime.fromisoformat(iso) - datetime(1970, 1, 1)) / timedelta(days=1)
