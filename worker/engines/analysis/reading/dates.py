"""Dates in the forms people write them, brought to ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

_TIME = (
    r"(?:(?:[T_ ]+|, ?)(?P<H>[0-9]{1,2})[:h](?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r" *(?P<half>[AaPp]\.?[Mm]\.?)?"
)
_ZONE = r" *(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?)?)?"
_NAMES = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12, "januar": 1, "jän": 1, "februar": 2, "mär": 3, "märz": 3, "mrz": 3, "mai": 5, "juni": 6, "juli": 7,
    "okt": 10, "oktober": 10, "dez": 12, "dezember": 12, "janvier": 1, "janv": 1, "fév": 2, "févr": 2, "février": 2,
    "mars": 3, "avr": 4, "avril": 4, "juin": 6, "juil": 7, "juillet": 7, "aoû": 8, "août": 8, "septembre": 9,
    "octobre": 10, "novembre": 11, "déc": 12, "décembre": 12, "ene": 1, "enero": 1, "febrero": 2, "marzo": 3,
    "abr": 4, "abril": 4, "mayo": 5, "junio": 6, "julio": 7, "ago": 8, "agosto": 8, "septiembre": 9, "octubre": 10,
    "noviembre": 11, "dic": 12, "diciembre": 12, "gen": 1, "gennaio": 1, "febbraio": 2, "aprile": 4, "mag": 5,
    "maggio": 5, "giu": 6, "giugno": 6, "lug": 7, "luglio": 7, "set": 9, "sett": 9, "settembre": 9, "ott": 10,
    "ottobre": 10, "dicembre": 12, "maart": 3, "mrt": 3, "mei": 5, "augustus": 8, "fev": 2, "fevereiro": 2,
    "março": 3, "maio": 5, "out": 10, "outubro": 10, "dezembro": 12, "january": 1, "february": 2, "march": 3,
    "april": 4, "june": 6, "july": 7, "august": 8, "sept": 9, "september": 9, "october": 10, "november": 11,
    "december": 12, "janeiro": 1, "junho": 6, "julho": 7, "setembro": 9, "novembro": 11, "januari": 1,
    "februari": 2,
}  # fmt: skip
_DAY_OF_WEEK = r"(?:[^\W\d_]{2,10}\.?,? +)?"
_MONTH = r"(?P<name>[^\W\d_]{3,10})"
_ISO = re.compile(r"(?P<y>[0-9]{4})(?P<sep>[-/.])(?P<m>[0-9]{1,2})(?P=sep)(?P<d>[0-9]{1,2})" + _TIME + _ZONE)
_YEAR_MONTH = re.compile(r"(?P<y>[0-9]{4})[-/](?P<m>[0-9]{1,2})")
_ORDINAL = re.compile(r"(?P<y>[0-9]{4})-(?P<n>[0-9]{3})")
_SHORT = re.compile(r"(?P<a>[0-9]{1,2})(?P<sep>[-/.])(?P<b>[0-9]{1,2})(?P=sep)(?P<y>[0-9]{4}|[0-9]{2})" + _TIME + _ZONE)
_SHORT_YEAR = re.compile(r"(?P<y>[0-9]{2})(?P<sep>[-/.])(?P<m>[0-9]{1,2})(?P=sep)(?P<d>[0-9]{1,2})" + _TIME + _ZONE)
_DAY_NAME = re.compile(
    _DAY_OF_WEEK
    + r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th|\.)?(?: +de)?[ /-]*"
    + _MONTH
    + r"\.?(?: +de)?,?[ /-]*(?P<y>[0-9]{4}|[0-9]{2})"
    + _TIME
    + _ZONE
)
_NAME_DAY = re.compile(
    _DAY_OF_WEEK + _MONTH + r"\.? +(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?,? +(?P<y>[0-9]{4})" + _TIME + _ZONE
)
_YEAR_NAME_DAY = re.compile(r"(?P<y>[0-9]{4})[ -]" + _MONTH + r"[ -](?P<d>[0-9]{1,2})" + _TIME + _ZONE)
_MONTH_YEAR = re.compile(_MONTH + r"\.?[ /-]+(?P<y>[0-9]{4})|(?P<y2>[0-9]{4})[ /-]+(?P<name2>[^\W\d_]{3,10})")
_WEEK = re.compile(r"(?P<y>[0-9]{4})-?W(?P<w>[0-9]{2})(?:-?(?P<d>[1-7]))?")
_QUARTER = re.compile(r"(?P<y>[0-9]{4})[ -]?Q(?P<q>[1-4])|Q(?P<q2>[1-4])[ /-]?(?P<y2>[0-9]{4})", re.IGNORECASE)
_COMPACT = re.compile(
    r"(?P<y>(?:1[6-9]|20|21)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?:T?(?P<H>[0-9]{2})(?P<M>[0-9]{2})(?P<S>[0-9]{2})?Z?)?"
)
_SERIAL = re.compile(r"(?P<days>[0-9]{1,7})(?:[.,](?P<part>[0-9]{1,15}))?")
_LAST_SERIAL = 2_958_465


@dataclass(frozen=True, slots=True)
class DateForm:
    """One way of writing dates. `parse` gives ISO text, or None for what is no date of this form."""

    label: str
    parse: Callable[[str], str | None]
    order: str
    """What `read.dates` calls it."""


def _moment(match: re.Match[str], year: str, month: int, day: int) -> str | None:
    parts = match.groupdict()
    number = int(year)
    if len(year) == 2:  # As POSIX reads two digits: 69–99 are the 1900s.
        number += 1900 if number >= 69 else 2000
    hour = int(parts.get("H") or 0)
    if parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["half"][0] in "pP" else 0)
    try:
        moment = datetime(number, month, day, hour, int(parts.get("M") or 0), int(parts.get("S") or 0))
        if parts.get("zone"):
            moment = moment.replace(tzinfo=_zone(parts["zone"])).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    if parts.get("H") is None:
        return moment.date().isoformat()
    fraction = (parts.get("fraction") or "").rstrip("0")
    return moment.isoformat(timespec="seconds") + (f".{fraction}" if fraction else "")


def _zone(text: str) -> timezone:
    if text in ("Z", "UTC", "GMT"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0)))


def has_zone(cell: str) -> bool:
    """Whether a date with a time of day says its time zone."""
    return re.search(r"[0-9](?:[AaPp][Mm])? *(?:Z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?)$", cell) is not None and (
        ":" in cell
    )


def _iso(cell: str) -> str | None:
    if match := _ISO.fullmatch(cell):
        return _moment(match, match["y"], int(match["m"]), int(match["d"]))
    if match := _YEAR_MONTH.fullmatch(cell):
        return _moment(match, match["y"], int(match["m"]), 1)
    if match := _ORDINAL.fullmatch(cell):
        day, year = int(match["n"]), int(match["y"])
        if 1 <= day <= 366 and year:
            found = date(year, 1, 1) + timedelta(days=day - 1)
            return found.isoformat() if found.year == year else None
    return None


def _day_first(cell: str) -> str | None:
    match = _SHORT.fullmatch(cell)
    return _moment(match, match["y"], int(match["b"]), int(match["a"])) if match else None


def _month_first(cell: str) -> str | None:
    match = _SHORT.fullmatch(cell)
    return _moment(match, match["y"], int(match["a"]), int(match["b"])) if match else None


def _short_year(cell: str) -> str | None:
    match = _SHORT_YEAR.fullmatch(cell)
    return _moment(match, match["y"], int(match["m"]), int(match["d"])) if match else _iso(cell)


def _named(cell: str) -> str | None:
    match = _DAY_NAME.fullmatch(cell) or _NAME_DAY.fullmatch(cell) or _YEAR_NAME_DAY.fullmatch(cell)
    if match is not None:
        month = _NAMES.get(match["name"].lower())
        return None if month is None else _moment(match, match["y"], month, int(match["d"]))
    if match := _MONTH_YEAR.fullmatch(cell):
        month = _NAMES.get((match["name"] or match["name2"]).lower())
        return None if month is None else _moment(match, match["y"] or match["y2"], month, 1)
    return None


def _iso_week(cell: str) -> str | None:
    match = _WEEK.fullmatch(cell)
    try:
        return (
            date.fromisocalendar(int(match["y"]), int(match["w"]), int(match["d"] or 1)).isoformat() if match else None
        )
    except ValueError:
        return None


def _quarter(cell: str) -> str | None:
    match = _QUARTER.fullmatch(cell)
    if match is None or not int(match["y"] or match["y2"]):
        return None
    return f"{match['y'] or match['y2']}-{int(match['q'] or match['q2']) * 3 - 2:02d}-01"


def _compact(cell: str) -> str | None:
    match = _COMPACT.fullmatch(cell)
    return _moment(match, match["y"], int(match["m"]), int(match["d"])) if match else None


def _serial(origin: date) -> Callable[[str], str | None]:
    def parse(cell: str) -> str | None:
        match = _SERIAL.fullmatch(cell)
        if match is None or not 1 <= int(match["days"]) <= _LAST_SERIAL:
            return None
        # Excel counts 1900 as a leap year, so the days before March 1900 are one off.
        early = origin.year == 1899 and int(match["days"]) < 61
        moment = datetime(origin.year, origin.month, origin.day) + timedelta(days=int(match["days"]) + early)
        if not (match["part"] or "").strip("0"):
            return moment.date().isoformat()
        return (moment + timedelta(seconds=round(float(f"0.{match['part']}") * 86_400))).isoformat(timespec="seconds")

    return parse


ISO = DateForm("year-month-day", _iso, "year-month-day")
DAY_FIRST = DateForm("day/month/year", _day_first, "day-month-year")
MONTH_FIRST = DateForm("month/day/year", _month_first, "month-day-year")
NAMED = DateForm("named months", _named, "day-month-year")
SHORT_YEAR = DateForm("year-month-day with two digits of the year", _short_year, "year-month-day")
ISO_WEEK = DateForm("ISO weeks, each by its Monday unless it names a day", _iso_week, "iso-week")
QUARTER = DateForm("quarters, each by its first day", _quarter, "quarter")
COMPACT = DateForm("yyyymmdd", _compact, "compact")
EXCEL = DateForm("Excel's day numbers", _serial(date(1899, 12, 30)), "excel")
EXCEL_1904 = DateForm("Excel's day numbers from 1904", _serial(date(1904, 1, 1)), "excel-1904")
_ALL = (ISO, DAY_FIRST, MONTH_FIRST, NAMED, SHORT_YEAR, ISO_WEEK, QUARTER, COMPACT, EXCEL, EXCEL_1904)


def date_forms(*, day_first: bool) -> Sequence[DateForm]:
    """The forms of texts in order of preference; where both orders of day and month fit, `day_first` decides."""
    short = (DAY_FIRST, MONTH_FIRST) if day_first else (MONTH_FIRST, DAY_FIRST)
    return (ISO, *short, NAMED, ISO_WEEK, QUARTER, SHORT_YEAR)


def forms_of_order(order: str) -> Sequence[DateForm]:
    """The forms that an order of `read.dates` stands for."""
    return [form for form in _ALL if form.order == order or form is NAMED]
