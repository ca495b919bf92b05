"""Numbers in words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal

_LEVEL = re.compile(r"(?:C\((?P<coded>[^()\[\]]+)\)|(?P<plain>[^:\[\]]+))\[(?:T\.)?(?P<level>[^\]]*)\]")


def number(value: float | None, digits: int = 4) -> str:
    """`value` with so many significant digits, without exponent where that reads well."""
    if value is None:
        return "n/a"
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "not finite"
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 7:
        text = f"{value:.{max(0, digits - 1 - size)}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return text.replace("-", "−") if text not in ("-0", "") else "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−")


def interval(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "interval not estimable"
    return f"95 % interval {number(low)} to {number(high)}"


def p_value(p: float | None) -> str:
    if p is None:
        return "p not defined"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def term_name(name: str) -> str:
    """A model's term for reading: ``site[T.S3]`` is *site S3*, ``depth:site[T.S3]`` is *depth × site S3*."""
    return " × ".join(_LEVEL.sub(lambda part: f"{_factor(part)} {part['level']}", part) for part in _factors(name))


def factor_name(name: str) -> str:
    """The term without its level: ``site[T.S3]`` is *site*."""
    return " × ".join(_LEVEL.sub(_factor, part) for part in _factors(name))


def _factor(match: re.Match[str]) -> str:
    return (match["coded"] or match["plain"]).strip("`")


def _factors(name: str) -> list[str]:
    """The parts of an interaction; a colon inside brackets belongs to a level."""
    return re.split(r":(?![^\[]*\])", name) if "[" in name else [name]


def listed(items: Sequence[str], most: int = 8) -> str:
    """``a, b and c``; what is beyond `most` is counted."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


_FIGURE = re.compile(r"[-+\u2212]?[0-9]+(?:\.[0-9]+)?")


def by_level(name: str, said: Sequence[tuple[str, str]], most: int = 8) -> str:
    """What is `said` of each level of a column: ``By site: a 3, b 5 and c 2``. Levels that are numbers would run into
    what is said of them, so they stand by size and with the name: ``Dose 5: 3; 10: 2``."""
    if not numbered([level for level, _ in said]):
        return f"By {name}: {listed([f'{level} {text}' for level, text in said], most)}"
    ordered = sorted(said, key=lambda item: Decimal(item[0].replace("\u2212", "-")))
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return f"{name} " + "; ".join(f"{level}: {text}" for level, text in ordered[:most]) + more


def numbered(levels: Sequence[str]) -> bool:
    """Whether all the levels are written as numbers."""
    return all(_FIGURE.fullmatch(level) for level in levels)


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
