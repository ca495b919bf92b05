"""Codes for a missing value: the customary words, and numbers that stand so far out that they may be meant as one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from worker.engines.analysis.reading.notes import Notes

# Empty text and these words are missing in any column …
MISSING_ANYWHERE = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "<na>", "\\n"})
# … and these too where all the rest are numbers, dates or booleans; elsewhere they may be words.
MISSING_AMONG_VALUES = MISSING_ANYWHERE | {
    "none",
    "-",
    "--",
    "---",
    "\u2013",
    "\u2014",
    ".",
    "..",
    "...",
    "\u2026",
    "?",
    "*",
    "missing",
    "nil",
    "nat",
    "n.a.",
    "n.d.",
    "nd",
    "k.a.",
    "k. a.",
    "unknown",
    "#div/0!",
    "#value!",
    "#ref!",
    "#name?",
    "#num!",
    "#null!",
}
_SENTINEL = re.compile(r"-?9{2,7}(?:\.[09]+)?|-9(?:\.0+)?|-8{1,4}(?:\.0+)?|-7{2,4}|-1(?:\.0+)?")
_PLAIN = re.compile(r"[+-]?[0-9]{1,75}(?:\.[0-9]{0,75})?")
_LEAST_OTHERS = 2


def code_values(codes: Iterable[str]) -> frozenset[Decimal]:
    """The numbers among the codes of a request."""
    return frozenset(Decimal(code) for code in map(str.strip, codes) if _PLAIN.fullmatch(code))


def sentinels(values: Collection[str]) -> list[str]:
    """The distinct canonical numbers among `values` that are written like a code (``-99``, ``9999``) and lie further
    outside the rest than the rest is wide."""
    candidates = [value for value in values if _SENTINEL.fullmatch(value)]
    if not candidates or len(values) < len(candidates) + _LEAST_OTHERS:
        return []
    rest = [Decimal(value) for value in set(values).difference(candidates)]
    low, high = min(rest), max(rest)
    margin = high - low
    found = []
    for text in candidates:
        value = Decimal(text)
        alone = value == -1 and low >= 0 and low > margin
        if (value < low - margin or value > high + margin) and (value != -1 or alone):
            found.append(text)
    return sorted(found, key=Decimal)


def tell_missing(name: str, codes: Mapping[str, int], notes: Notes) -> None:
    """Note which codes of a column, with how many cells each, are read as missing, the request's own by themselves."""
    for own in (False, True):
        counts = {code: count for code, count in codes.items() if (code.lower() not in MISSING_AMONG_VALUES) == own}
        if counts:
            told = ", ".join(f"{code!r} ({count})" for code, count in sorted(counts.items()))
            reason = "asked for in the request" if own else "customary codes for a missing value"
            notes.decide(
                f"missing values in column {name}: {told}", reason, "values", override="missing" if own else "types"
            )
