"""How single values are written in a report."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from services.results.rendering.composing import names
from services.results.rendering.plain_text import clean, one_line
from services.results.rendering.reading import JSON, Cell

SIGNIFICANT_DIGITS = 6
"""Digits of a number in a report; the JSON export and the CSV files carry every digit."""

_SMALL, _LARGE = 1e-4, 1e15
# A power of ten says the size; more digits before it are noise.
_MANTISSA_DIGITS = 3
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SNAKE = re.compile(r"[_\s]+")


def number(value: float) -> str:
    """A number for reading: whole numbers as they are, others to `SIGNIFICANT_DIGITS`, with a true minus sign."""
    if not math.isfinite(value):
        return "–"
    if isinstance(value, int) or (value.is_integer() and abs(value) < _LARGE):
        return str(int(value)).replace("-", "−")
    if _SMALL <= abs(value) < _LARGE:
        decimals = max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value))))
        text = f"{value:.{decimals}f}"
        return (text.rstrip("0").rstrip(".") if decimals else text).replace("-", "−")
    mantissa, _, power = f"{value:.{_MANTISSA_DIGITS - 1}e}".partition("e")
    shortened = f"{float(mantissa):g}".replace("-", "−")
    return f"{shortened} × 10{str(int(power)).translate(_RAISED)}"


def cell(value: Cell, labels: dict[str, str]) -> str:
    """A table's cell."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return labels["yes"] if value else labels["no"]
    if isinstance(value, (int, float)):
        return number(value)
    return one_line(value)


def score(value: float | None) -> str | None:
    """A confidence in 0..1 with two decimals."""
    return None if value is None or not math.isfinite(value) else f"{value:.2f}"


def words(name: str) -> str:
    """A field's name as words: `std_error` becomes `Standard error`. Never empty."""
    return phrase((name,))


def phrase(path: Sequence[str]) -> str:
    """The names on a way to a value as one phrase: `fit`, `p_adjusted` becomes `Fit adjusted p`. Never empty."""
    symbol = bool(path) and path[0] in names.SYMBOLS
    text = lower_phrase(path)
    return text if symbol else text[:1].upper() + text[1:]


def lower_phrase(path: Sequence[str]) -> str:
    """The same in the middle of a line: `fit adjusted p`. Never empty."""
    return one_line(_SNAKE.sub(" ", " ".join(clean(names.readable(name)) for name in path))) or "–"


def is_scalar(value: JSON) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def day(moment: JSON) -> str | None:
    """The UTC day of an RFC 3339 moment, as `2025-07-02`; None if it is not one."""
    parsed = _moment(moment)
    return None if parsed is None else parsed.astimezone(UTC).date().isoformat()


def moment(value: JSON) -> str | None:
    """An RFC 3339 moment for reading, as `2025-07-02 10:30:00 UTC`; None if it is not one."""
    parsed = _moment(value)
    return None if parsed is None else f"{parsed.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def seconds(moment: JSON) -> int:
    """An RFC 3339 moment as seconds since 1970; 0 if it is not one."""
    parsed = _moment(moment)
    return 0 if parsed is None else max(0, int(parsed.timestamp()))


def _moment(moment: JSON) -> datetime | None:
    if not isinstance(moment, str):
        return None
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
