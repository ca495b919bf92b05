"""Plain text made fit for every output format, without changing what a reader sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

Direction = Literal["ltr", "rtl"]

_LEADS = 3
"""Paragraphs of a lead, at most."""

# Not allowed in XML 1.0, and without meaning on paper: C0 and C1 controls but tab, newline, carriage return and next
# line; surrogates; noncharacters.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
_OPENS_DIRECTION = re.compile("[\u202a\u202b\u202d\u202e\u2066-\u2068]")
# Blanks, controls and format characters; fillers and selectors that act on their neighbours alone. What this version
# of Unicode does not know may well be a letter of a later one.
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_IGNORED = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
_SPACE = re.compile(r"[ \t\r\n\x85\u2028\u2029]+")
_PARAGRAPHS = re.compile(r"(?:\r\n?|\n|\x85|\u2028|\u2029)[ \t]*(?:(?:\r\n?|\n|\x85|\u2028)[ \t]*)+|\u2029")


def clean(text: str) -> str:
    """`text` with every character that no format can carry replaced by U+FFFD, and byte order marks, which archivable
    PDF forbids, by what has taken their place within text: U+2060."""
    # What is printable to Python holds none of them; most texts are, and looking at each character takes far longer.
    if text.isprintable():
        return text
    return _UNPRINTABLE.sub("\ufffd", text).replace("\ufeff", "\u2060")


def without_selectors(text: str) -> str:
    """`text` without the fillers and selectors that show nothing by themselves."""
    return text if text.isascii() else _IGNORED.sub("", text)


def one_line(text: str) -> str:
    """`text` cleaned, with every run of white space as one space, and none at the ends; empty if it shows nothing."""
    # The only blanks in line that are printable are spaces.
    line = (text if text.isprintable() and "  " not in text else _SPACE.sub(" ", clean(text))).strip()
    return _closed(line) if _shows(line) else ""


def _closed(line: str) -> str:
    """`line` with every direction it opens closed at its end, so that it does not turn what stands after it."""
    if line.isprintable() or not _OPENS_DIRECTION.search(line):
        return line
    waiting: list[str] = []
    for letter in line:
        if _OPENS_DIRECTION.match(letter):
            waiting.append("\u2069" if letter >= "\u2066" else "\u202c")
        elif letter == "\u202c" and waiting[-1:] == [letter]:
            waiting.pop()
        elif letter == "\u2069" and letter in waiting:
            # The end of an isolate also ends what was opened within it.
            while waiting.pop() != letter:
                pass
    return line + "".join(reversed(waiting))


def _shows(text: str) -> bool:
    """Whether a reader sees anything of it: a heading of direction marks alone, say, is none."""
    if text[:1].isascii() and text[:1].isalnum():
        return True  # Most texts begin so.
    return any(unicodedata.category(letter) not in _INVISIBLE and not _IGNORED.match(letter) for letter in text)


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


def leads(lengths: Sequence[int | None], place: int, longest: int) -> range:
    """The places of the paragraphs that stay with what stands at `place`: the one before it, or all since
    something else where they are few, for a heading with its lead not to be left at the end of a page.

    :param lengths: the characters of paragraphs; None for anything else.
    :param longest: the most characters that a lead has.
    """
    first, total = place, 0
    while first and (length := lengths[first - 1]) is not None:
        total += length
        first -= 1
    last = lengths[place - 1] if place else None
    if total <= longest and place - first <= _LEADS:
        return range(first, place)
    return range(place - 1, place) if last is not None and last <= longest else range(place, place)


def shorten(text: str, length: int) -> str:
    """`text` cut at a word within `length` characters, with an ellipsis if anything was cut."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > length // 2 else head).rstrip() + "…"
