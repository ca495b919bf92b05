"""What a cell's text means: numbers in their national forms, dates, booleans, missing values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

# Empty text and these words are missing in any column …
MISSING_ANYWHERE = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "<na>"})
# … and these too where all the rest are numbers, dates or booleans; elsewhere they may be words.
MISSING_AMONG_VALUES = MISSING_ANYWHERE | {
    "none",
    "-",
    "--",
    ".",
    "?",
    "missing",
    "nil",
    "#div/0!",
    "#value!",
    "#ref!",
}

_BOOLEANS = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"), ("on", "off"))
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,4})?"
LARGEST_EXPONENT = 75
_SPACES = " \u00a0\u202f\u2009"


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a column writes numbers: its decimal mark and what groups its thousands ("" for nothing)."""

    decimal: str
    thousands: str

    def describe(self) -> str:
        mark = "decimal comma" if self.decimal == "," else "decimal point"
        grouping = {
            "": "",
            ",": ", thousands by comma",
            ".": ", thousands by point",
            "'": ", thousands by apostrophe",
        }
        return mark + grouping.get(self.thousands, ", thousands by space")


POINT_FORMATS = tuple(NumberFormat(".", mark) for mark in ("", ",", " ", "'"))
COMMA_FORMATS = tuple(NumberFormat(",", mark) for mark in ("", ".", " ", "'"))
PLAIN = POINT_FORMATS[0]


@cache
def _pattern(form: NumberFormat) -> re.Pattern[str]:
    point = re.escape(form.decimal)
    plain = rf"(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+){_EXPONENT}"
    if not form.thousands:
        return re.compile(rf"[+-]?{plain}")
    mark = {" ": f"[{_SPACES}]", "'": "['\u2019]"}.get(form.thousands, re.escape(form.thousands))
    return re.compile(rf"[+-]?(?:[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+(?:{point}[0-9]*)?|{plain})")


def canonical_number(cell: str, form: NumberFormat) -> str | None:
    """`cell` with a decimal point and nothing else, every digit kept; None if it is no such number.

    Beyond 1e-75 to 1e75 it is no number here: fourth powers of values must stay within the range of doubles.
    """
    text = cell.replace("\u2212", "-")
    if not _pattern(form).fullmatch(text):
        return None
    if form.thousands:
        for mark in _SPACES if form.thousands == " " else "'\u2019" if form.thousands == "'" else form.thousands:
            text = text.replace(mark, "")
    text = text.replace(form.decimal, ".")
    if "e" in text or "E" in text or len(text) > LARGEST_EXPONENT:
        value = Decimal(text)
        if value and abs(value.adjusted()) > LARGEST_EXPONENT:
            return None
    return text


_AFFIXES = re.compile(
    r"(?P<sign>[-+\u2212]?)(?P<before>[$€£¥₹]?)[ \u00a0]*"
    r"(?P<number>[-+\u2212]?[0-9.,][0-9.,'\u2019\u00a0\u202f eE+-]*?)"
    r"(?P<after>[ \u00a0]*%|[ \u00a0]*[$€£¥₹]|[ \u00a0]*°[CF]|[ \u00a0]+[A-Za-zµμ°Ω][A-Za-z0-9µμ°Ω/²³·^]{0,11})?"
)


def strip_unit(cells: Sequence[str]) -> tuple[list[str], str] | None:
    """The numbers without the one currency sign or unit that all of `cells` share; None if they do not."""
    bare: list[str] = []
    units: set[str] = set()
    for cell in cells:
        match = _AFFIXES.fullmatch(cell)
        if match is None:
            return None
        units.add((match["before"] or match["after"] or "").strip())
        bare.append(match["sign"] + match["number"].strip())
    if len(units) != 1 or "" in units:
        return None
    return bare, units.pop()


def boolean_words(cells: set[str]) -> tuple[str, str] | None:
    """The pair (true word, false word) that the distinct lower-case `cells` are taken from.

    Both must occur, but for true and false themselves: a column of nothing but "y" need not mean yes.
    """
    return next((p for p in _BOOLEANS if cells == set(p) or (p[0] == "true" and cells and cells <= set(p))), None)


_TYPED: tuple[Callable[[str], object], ...] = (
    _pattern(POINT_FORMATS[1]).fullmatch,
    _pattern(COMMA_FORMATS[1]).fullmatch,
    re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ].*)?").fullmatch,
)


def looks_typed(cell: str) -> bool:
    """Whether a cell is plainly a value (number or date in some form, or missing) and not a word."""
    text = cell.strip()
    return text.lower() in MISSING_ANYWHERE or any(match(text) for match in _TYPED)
