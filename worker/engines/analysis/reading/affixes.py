"""Signs and units that cells carry beside their number: ``$1,200``, ``12 kg``, ``5 %``, ``(300)``, ``300-``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_MINUS = "\u2212\u2013-"  # the hyphen last: these stand in brackets of patterns
_CURRENCY = r"(?:US\$|A\$|C\$|R\$|[$€£¥₹₽₩₺₴₫]|kr\.?|zł|Kč|USD|EUR|GBP|JPY|CHF|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|Fr\.)"
_SPACE = "[ \u00a0\u202f\u2009]*"
_AFFIXES = re.compile(
    rf"(?P<open>\()?(?P<sign>[+{_MINUS}]?){_SPACE}(?P<before>{_CURRENCY})?{_SPACE}"
    rf"(?P<number>[+{_MINUS}]?(?:[0-9]|[.,][0-9])(?:[0-9.,'\u2019\u00a0\u202f\u2009 ]*[0-9.,])?(?:[eE][+-]?[0-9]+)?)"
    rf"(?P<end>[{_MINUS}]?)"
    rf"(?P<after>{_SPACE}(?:%|‰|{_CURRENCY}|°[CF]?|[\u00a0\u202f\u2009 ]?[A-Za-zµμΩ]"
    r"[A-Za-z0-9µμ°Ω/²³·^%]{0,11}))?(?P<close>\))?"
)
_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Bare:
    """Cells without what they carry. `numbers` lacks those of another form; `unit` is "" for signs alone.

    `without` counts the cells that carry no unit while the others do, `parentheses` those in parentheses.
    """

    numbers: Mapping[str, str]
    unit: str
    without: int
    parentheses: int


def strip_affixes(counts: Mapping[str, int]) -> Bare | set[str] | None:
    """The bare numbers of the distinct cells in `counts` (which says how often each occurs).

    The set of their units when they carry several; None when no cell carries anything, or too few do.
    """
    numbers: dict[str, str] = {}
    units: dict[str, str] = {}
    parentheses = 0
    for cell in counts:
        match = _AFFIXES.fullmatch(cell)
        if match is None or bool(match["open"]) != bool(match["close"]):
            continue
        sign = match["sign"] or match["end"]
        if match["open"]:
            sign = "-"
            parentheses += counts[cell]
        if (sign and match["number"][0] in f"+{_MINUS}") or (match["before"] and (match["after"] or "").strip()):
            continue
        unit = (match["before"] or match["after"] or "").strip()
        numbers[cell] = ("-" if sign in tuple(_MINUS) else "") + match["number"].translate(_ASCII)
        units[cell] = unit
    found = set(units.values()) - {""}
    if len(found) > 1:
        return found
    signed = any(cell.endswith(tuple(_MINUS)) or cell.startswith(("\u2212", "\u2013")) for cell in numbers)
    if not found and not parentheses and not signed:
        return None
    without = sum(counts[cell] for cell, unit in units.items() if not unit) if found else 0
    zeros = sum(counts[cell] for cell, unit in units.items() if not unit and _is_zero(numbers[cell])) if found else 0
    if without - zeros > (1 - _SHARE) * sum(counts[cell] for cell in numbers):
        return None
    return Bare(numbers, found.pop() if found else "", without, parentheses)


_ASCII = str.maketrans({"\u2212": "-", "\u2013": "-"})


def _is_zero(number: str) -> bool:
    return not number.strip("0.,-+ ")


def strip_unit(cells: Sequence[str]) -> tuple[list[str], str] | None:
    """The numbers without the one currency sign or unit that all of `cells` share; None if they do not."""
    found = strip_affixes(dict.fromkeys(cells, 1))
    if not isinstance(found, Bare) or len(found.numbers) < len(set(cells)):
        return None
    return [found.numbers[cell] for cell in cells], found.unit
