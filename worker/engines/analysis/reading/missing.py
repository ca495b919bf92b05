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
_LEAST_BULK, _FAR, _SMALLEST_CODE = 8, 10, -77


def code_values(codes: Iterable[str]) -> frozenset[Decimal]:
    """The numbers among the codes of a request."""
    return frozenset(Decimal(code) for code in map(str.strip, codes) if _PLAIN.fullmatch(code))


def sentinels(values: Collection[str]) -> list[str]:
    """The distinct canonical numbers among `values` that are written like a code (``-99``, ``9999``) and lie further
    outside the rest than the rest is wide; a negative one where no other is also if it is as far outside the bulk, for
    one large value makes the rest wide."""
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
        far = value < low - margin or value > high + margin or (low >= 0 > value and _below_bulk(value, rest))
        if far and (value != -1 or alone):
            found.append(text)
    return sorted(found, key=Decimal)


def _below_bulk(value: Decimal, rest: Collection[Decimal]) -> bool:
    """Whether a negative code of two digits or more lies ten interquartile ranges and more below the middle half."""
    ordered = sorted(rest)
    if len(ordered) < _LEAST_BULK or value > _SMALLEST_CODE:
        return False
    q1, q3 = ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]
    return value < q1 - _FAR * (q3 - q1)


_PROPOSED = re.compile(r"(\S+) in column (.+) is taken as a number", re.DOTALL)


def propose_code(code: str, name: str, notes: Notes) -> None:
    """Note that a number of a column looks like a code for missing, and stays a number."""
    notes.decide(
        f"{code} in column {name} is taken as a number",
        "it lies far outside the rest and may be a code for a missing value",
        "a missing value",
        override="missing",
    )


def proposed_code(decision: str) -> tuple[str, str] | None:
    """The code and the column of a decision by :func:`propose_code`; None for any other."""
    match = _PROPOSED.fullmatch(decision)
    return None if match is None else (match[1], match[2])


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
