"""Plain text made fit for every output format, without changing what a reader sees."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Direction = Literal["ltr", "rtl"]

# Not allowed in XML 1.0, and without meaning on paper: C0 and C1 controls but tab, newline, carriage return and next
# line; surrogates; noncharacters.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
_SPACE = re.compile(r"[ \t\r\n\x85\u2028\u2029]+")
_PARAGRAPHS = re.compile(r"(?:\r\n?|\n|\x85|\u2028|\u2029)[ \t]*(?:(?:\r\n?|\n|\x85|\u2028)[ \t]*)+|\u2029")


def clean(text: str) -> str:
    """`text` with every character that no format can carry replaced by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """`text` cleaned, with every run of white space as one space, and none at the ends."""
    return _SPACE.sub(" ", clean(text)).strip()


def paragraphs(text: str) -> list[str]:
    """The paragraphs of `text`, which blank lines part, each on one line."""
    return [line for part in _PARAGRAPHS.split(text) if (line := one_line(part))]


def direction(text: str) -> Direction:
    """The base direction by the first strong character (rules P2 and P3 of the Unicode bidirectional algorithm)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            return "ltr"
        if kind in ("R", "AL"):
            return "rtl"
    return "ltr"


def shorten(text: str, length: int) -> str:
    """`text` cut at a word within `length` characters, with an ellipsis if anything was cut."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > length // 2 else head).rstrip() + "…"
