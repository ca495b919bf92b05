"""Amounts that a finding states."""

from __future__ import annotations

import re
from dataclasses import dataclass

from worker.engines.text.stopwords import word_set

_NUMBER = re.compile(
    r"(?<![\w.,])(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?P<part>\.\d+)?\s*"
    r"(?P<unit>%|per ?cent\b|percent\b|°\s?[CFK]\b|[A-Za-zµ]+(?:/[A-Za-z]+)?)?"
)
_FRACTION = re.compile(r"\b(?:a|one)\s+(?P<name>half|third|quarter|fifth|tenth)\b", re.IGNORECASE)
_FRACTIONS = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}
_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100,
}  # fmt: skip
_SPELT = re.compile(rf"\b(?P<word>{'|'.join(_WORDS)})\s+(?P<unit>[A-Za-z]+)\b", re.IGNORECASE)
_STATISTIC = re.compile(
    r"(?:\b(?:n|N|p|P|t|F|r|R²|df|d|CI|SD|SE|ρ|rho|η²|χ²)\s*[=<>≤≥≈]\s*[-−]?|[\[(;,]\s*[-−]?|\d\s*(?:to|and|[-–−])\s*)$"
)
"""What stands before a sample size, a test statistic, or the bound of an interval."""
_YEAR = range(1500, 2101)
_TOLERANCE = 0.05
"""Amounts of one unit are the same when they differ by no more than this share of the larger one."""
_NO_UNIT = word_set(
    """
    a after against all among and as at before between but by during each for from in into is more of on or over per
    than that the to under was were when where which while with
    """
)
_MEASURES = word_set(
    """
    second minute hour day week month year century degree metre meter kilometre kilometer gram kilogram tonne litre
    liter watt volt joule pascal newton kelvin celsius fahrenheit hectare percent cycle
    """
)
"""Units in full; what else is counted (adults, plots) is how much was looked at, and no condition."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, in lower case; the unit of a bare number is ""."""

    value: float
    unit: str


def quantities(text: str) -> frozenset[Quantity]:
    """The amounts of `text`, without years, sample sizes, p-values and the bounds of intervals."""
    found = set()
    for match in _NUMBER.finditer(text):
        value = float(match["whole"].replace(",", "") + (match["part"] or ""))
        unit = _unit(match["unit"] or "")
        is_year = not match["part"] and value in _YEAR and not unit
        if not is_year and not _STATISTIC.search(text[max(0, match.start() - 8) : match.start()]):
            found.add(Quantity(value, unit))
    found |= {Quantity(_FRACTIONS[match["name"].lower()], "%") for match in _FRACTION.finditer(text)}
    found |= {
        Quantity(float(_WORDS[match["word"].lower()]), unit)
        for match in _SPELT.finditer(text)
        if (unit := _unit(match["unit"]))
    }
    return frozenset(found)


def agree(left: frozenset[Quantity], right: frozenset[Quantity]) -> bool | None:
    """Whether two findings state the same amounts; None when they have no unit in common.

    Of each unit that both name, one amount at least must meet.
    """
    common = {item.unit for item in left if item.unit} & {item.unit for item in right if item.unit}
    if not common:
        return None
    return all(
        any(_close(one.value, other.value) for one in left for other in right if one.unit == unit == other.unit)
        for unit in common
    )


def same_conditions(left: frozenset[Quantity], right: frozenset[Quantity]) -> bool:
    """Whether two findings that state different amounts may do so under the same conditions ("at 25 °C", "after 3
    months"), so that one amount denies the other.

    They do not where they differ in two units, where each has a measure that the other does not name, or where each
    has several amounts of a unit and none of them meets.
    """
    mine, other = _measured(left), _measured(right)
    apart = [
        unit
        for unit in mine.keys() & other.keys()
        if not any(_close(one, two) for one in mine[unit] for two in other[unit])
    ]
    if len(apart) > 1 or (mine.keys() - other.keys() and other.keys() - mine.keys()):
        return False
    return not any(len(mine[unit]) > 1 and len(other[unit]) > 1 for unit in apart)


def _measured(amounts: frozenset[Quantity]) -> dict[str, set[float]]:
    """The amounts that measure something, by unit."""
    found: dict[str, set[float]] = {}
    for item in amounts:
        unit = item.unit
        if unit and (len(unit) < 4 or "/" in unit or not unit.isalpha() or unit in _MEASURES):
            found.setdefault(unit, set()).add(item.value)
    return found


def _close(left: float, right: float) -> bool:
    return abs(left - right) <= _TOLERANCE * max(abs(left), abs(right))


def _unit(written: str) -> str:
    unit = written.lower().replace(" ", "")
    if unit in ("percent", "percents"):
        return "%"
    if unit in _NO_UNIT:
        return ""
    return unit.removesuffix("s") if len(unit) > 3 else unit
