"""Units of measurement as tables write them: in the name of a column, in a row under the header."""

from __future__ import annotations

import re

_PREFIXES = ("", "k", "M", "G", "T", "m", "µ", "μ", "u", "n", "p", "c", "d", "h", "da")
_PREFIXED = (
    "m", "g", "s", "A", "K", "mol", "cd", "Hz", "N", "Pa", "J", "W", "C", "V", "F", "Ω", "S", "T", "lm", "lx", "Bq",
    "Gy", "Sv", "L", "l", "eV", "bar", "cal", "Wh", "B", "bit", "t", "M", "VA", "ohm",
)  # fmt: skip
_PLAIN = (
    "%", "‰", "°", "°C", "°F", "℃", "℉", "deg", "rad", "min", "h", "hr", "hrs", "d", "day", "days", "week", "weeks",
    "month", "months", "year", "years", "yr", "yrs", "a", "sec", "secs", "hour", "hours", "minute", "minutes",
    "second", "seconds", "in", "inch", "inches", "ft", "feet", "yd", "mi", "mile", "miles", "nm", "lb", "lbs", "oz",
    "gal", "mph", "kph", "km/h", "rpm", "ppm", "ppb", "psi", "mmHg", "mm Hg", "atm", "dB", "px", "ha", "acre", "acres",
    "pH", "USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "CZK", "BRL",
    "MXN", "ZAR", "KRW", "RUB", "TRY", "$", "€", "£", "¥", "₹", "US$", "µ", "μ", "IU", "U", "count", "counts", "pcs",
    "pct", "percent", "points", "Å", "kWh", "Ah", "cc", "bpm", "fps", "MPG", "mpg", "st", "cwt", "tons", "tonnes",
    "knots", "kn", "meters", "metres", "kilometers", "kilometres", "grams", "kilograms", "liters", "litres", "euros",
    "dollars", "degrees", "celsius",
)  # fmt: skip
_KNOWN = frozenset(_PLAIN) | {prefix + unit for prefix in _PREFIXES for unit in _PREFIXED}
_POWER = re.compile(r"(?:\^?\(?[-+\u2212]?[0-9]\)?|[\u207b\u207a]?[²³¹⁰⁴⁵⁶])$")
_SCALE = re.compile(r"(?:10\^?[0-9]{1,2}|1000|1,000|thousands?|millions?|mio\.?|mn|bn|k|M)\s+", re.IGNORECASE)
_IN_NAME = re.compile(r".*\S\s*(?:\((?P<round>[^()]+)\)|\[(?P<square>[^\[\]]+)\])|.*\w\s*(?:,|/|\bin)\s+(?P<bare>\S+)")


def is_unit(text: str) -> bool:
    """Whether `text` is a unit: a known symbol, a power of one, or a product or quotient of such."""
    text = _SCALE.sub("", text.strip(), count=1)
    if text in _KNOWN:
        return True
    parts = [part.strip() for part in re.split(r"[/·*×.]|\s+per\s+|\s+", text)]
    if not parts or len(parts) > 5 or not parts[-1]:
        return False
    return all(_simple(part) or (part == "1" and i == 0) for i, part in enumerate(parts)) and parts != ["1"]


def _simple(part: str) -> bool:
    return part in _KNOWN or ((bare := _POWER.sub("", part)) != part and bare in _KNOWN)


def unit_in_name(name: str) -> str | None:
    """The unit that ends a column's name: ``weight (kg)``, ``height [cm]``, ``speed, m/s``, ``speed in m/s``."""
    match = _IN_NAME.fullmatch(name.strip())
    if match is None:
        return None
    unit = (match["round"] or match["square"] or match["bare"]).strip()
    return unit if is_unit(unit) else None


def unit_of_cell(cell: str) -> str | None:
    """The unit that a cell of a row of units holds, without brackets; "" for a blank one or a dash; None if none."""
    text = cell.strip()
    if text in ("", "-", "--", "\u2013", "()", "[]", "[-]", "(-)"):
        return ""
    if text[0] + text[-1] in ("()", "[]"):
        text = text[1:-1].strip()
    return text if is_unit(text) else None
