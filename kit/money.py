"""Exact money: integers of 10^-6 of the currency inside, decimal strings with 2 to 6 places outside."""

from __future__ import annotations

import re
from typing import NewType

Micros = NewType("Micros", int)
"""An amount in 10^-6 of the currency."""

SCALE = 1_000_000
# What fits a BIGINT with room for sums of many accounts.
LARGEST = Micros(10**15 * 100)
_WHOLE = r"(?P<whole>0|[1-9][0-9]{0,10})"
_DECIMAL = re.compile(_WHOLE + r"\.(?P<part>[0-9]{2,6})")
_TYPED = re.compile(_WHOLE + r"(?:\.(?P<part>[0-9]{1,6}))?")


class InvalidAmount(ValueError):
    """A text that is no amount; its message shows the cure."""


def parse(text: str) -> Micros:
    """Read a decimal string such as "12.50": no sign, no exponent, 2 to 6 places. Raises InvalidAmount."""
    return _read(_DECIMAL, text)


def typed(text: str) -> Micros:
    """Read what a person typed on a command line or into a setting: the same, and places may be left out ("50").

    Raises InvalidAmount.
    """
    return _read(_TYPED, text)


def _read(form: re.Pattern[str], text: str) -> Micros:
    match = form.fullmatch(text)
    if match is None:
        raise InvalidAmount('must be a decimal string with 2 to 6 places, no sign and no exponent: write "50.00"')
    part = match["part"] or ""
    return Micros(int(match["whole"]) * SCALE + int(part.ljust(6, "0") or "0"))


def show(amount: int) -> str:
    """Write an amount with at least 2 and at most 6 places."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, part = divmod(amount, SCALE)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{digits}"


def times(unit_price: int, quantity_micros: int) -> Micros:
    """The price of a quantity given in 10^-6 units, rounded half up to 10^-6 of the currency."""
    return Micros((unit_price * quantity_micros + SCALE // 2) // SCALE)
