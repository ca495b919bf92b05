"""What a cell's text means: numbers in their national forms, dates, booleans, missing values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from worker.engines.analysis.reading.missing import MISSING_ANYWHERE

_BOOLEANS = (
    ("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"), ("on", "off"), ("ja", "nein"), ("oui", "non"),
    ("sí", "no"), ("si", "no"), ("sim", "não"), ("wahr", "falsch"), ("vrai", "faux"), ("verdadero", "falso"),
    ("vero", "falso"), ("ja", "nee"), ("да", "нет"), ("tak", "nie"), (".true.", ".false."),
)  # fmt: skip
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,4})?"
LARGEST_EXPONENT = 75
EDGES = "\ufeff\u200b\u2060"
"""Marks of no width that stand around cells."""
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


def _pattern(form: NumberFormat) -> re.Pattern[str]:
    point = re.escape(form.decimal)
    plain = rf"(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+){_EXPONENT}"
    if not form.thousands:
        return re.compile(rf"[+-]?{plain}")
    mark = {" ": f"[{_SPACES}]", "'": "['\u2019]"}.get(form.thousands, re.escape(form.thousands))
    grouped = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+"
    if form.thousands == "," and form.decimal == ".":  # lakh and crore: 12,34,567
        grouped = rf"(?:{grouped}|[0-9]{{1,2}}(?:,[0-9]{{2}})+,[0-9]{{3}})"
    return re.compile(rf"[+-]?(?:{grouped}(?:{point}[0-9]*)?|{plain})")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {form.decimal + form.thousands: _pattern(form) for form in POINT_FORMATS + COMMA_FORMATS}


_POINT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch


def canonical_number(cell: str, form: NumberFormat) -> str | None:
    """`cell` with a decimal point and nothing else, every digit kept; None if it is no such number.

    Beyond 1e-75 to 1e75 it is no number here: fourth powers of values must stay within the range of doubles.
    """
    if len(cell) <= LARGEST_EXPONENT and (cell.isdecimal() or form.decimal == ".") and _POINT(cell):
        return cell
    text = cell if cell.isascii() else cell.replace("\u2212", "-")
    if not _patterns()[form.decimal + form.thousands].fullmatch(text):
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


_NO_DOUBLE = re.compile(r"[+-]?(?:inf(?:inity)?|[0-9]*[.,]?[0-9]*[eE][+-]?[0-9]+|[0-9]{70,})", re.IGNORECASE)


def beyond_range(cell: str) -> bool:
    """Whether `cell`, which is no number here, is one that is too large or too small to compute with."""
    return _NO_DOUBLE.fullmatch(cell) is not None


def boolean_words(cells: set[str]) -> tuple[str, str] | None:
    """The pair (true word, false word) that the distinct lower-case `cells` are taken from.

    Both must occur, but for true and false themselves: a column of nothing but "y" need not mean yes.
    """
    return next((p for p in _BOOLEANS if cells == set(p) or (p[0] == "true" and cells and cells <= set(p))), None)


_TYPED: tuple[Callable[[str], object], ...] = (
    *(_pattern(form).fullmatch for form in (*POINT_FORMATS[1:], *COMMA_FORMATS[1:])),
    re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ].*)?").fullmatch,
    re.compile(r"[0-9]{1,2}[ -][^\W\d_]{3,9}[ -][0-9]{4}(?: .*)?|[0-9]{4}-?W[0-9]{2}(?:-?[1-7])?").fullmatch,
    re.compile(r"[-(+]?[$€£¥₹]? ?[-+]?[0-9][0-9.,' \u00a0\u202f]*[)-]?").fullmatch,
    re.compile(r"[-+]?[0-9][0-9.,' \u00a0\u202f]*[%$€£¥₹]").fullmatch,
)


def looks_typed(cell: str) -> bool:
    """Whether a cell is plainly a value (number or date in some form, or missing) and not a word."""
    text = cell.strip()
    return text.lower() in MISSING_ANYWHERE or any(match(text) for match in _TYPED)
