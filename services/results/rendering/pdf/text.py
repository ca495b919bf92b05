"""Text as the page template reads it: runs of plain strings, with what has no glyph as its code point.

A run is a string, or a list of its kind and what it holds; a text of one plain run is that string alone, which keeps
the data small and the template quick.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from typing import Any

from services.results.rendering.plain_text import Direction

Runs = str | list[Any]

_LONG_WORD = re.compile(r"\S{40,}")
UNBROKEN = re.compile(r"[-−+]?(?=[\d.]{1,24}$)\d+(?:\.\d+)?")
"""A number, which is read as one only on one line."""
# In a narrow column ids, hashes and paths are broken anywhere; words of a language are left whole.
_CODE = re.compile(r"(?=\S*[\d_/])[^\s\u2007\u2008]{12,}|\S{28,}")
# Without the glyph that they act on they show nothing.
_VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
# Kana, hangul: with them Han characters have the forms of Japan or Korea.
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ku", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_WORD = re.compile(r"[^\W\d_]+")


def base_direction(language: str) -> Direction:
    """The direction that a text in `language`, without a script of another direction, is read in."""
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def strong_direction(text: str) -> Direction | None:
    """The direction by the first strong character; None of a text without one, such as a number."""
    if text.isascii():
        return "ltr" if any(map(str.isalpha, text)) else None
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            return "ltr"
        if kind in ("R", "AL"):
            return "rtl"
    return None


def han_language(text: str) -> str | None:
    """The language whose Han forms a text shows, where its other letters tell: "ja", "ko" or None."""
    if text.isascii():
        return None
    if _KANA.search(text):
        return "ja"
    return "ko" if _HANGUL.search(text) else None


def hyphenated(text: str) -> bool:
    """Whether lines of this text are set better with words broken: where words are so long that a line has few blanks.

    Where they are short, full lines justify evenly without, and breaking is a third of the work of setting a page.
    """
    words = _WORD.findall(text)
    return bool(words) and (sum(map(len, words)) > 6.5 * len(words) or len(max(words, key=len)) > 16)


def runs(value: str, missing: AbstractSet[str], *, breakable: bool = True) -> Runs:
    """Text as runs.

    :param missing: the characters that cannot be drawn.
    :param breakable: very long words get places where a line may end.
    """
    if breakable and len(value) >= 40:
        value = _LONG_WORD.sub(lambda match: _with_breaks(match[0]), value)
    if not missing or missing.isdisjoint(value):
        return value
    result: list[Any] = []
    start = 0
    for index, character in enumerate(value):
        if character in missing:
            if index > start:
                result.append(value[start:index])
            if unicodedata.category(character) != "Cf" and character not in _VARIATION_SELECTORS:
                result.append(["code", f"{ord(character):04X}"])
            start = index + 1
    if start < len(value):
        result.append(value[start:])
    return result


def joined(parts: list[Runs]) -> Runs:
    """Runs one after the other."""
    result: list[Any] = []
    for part in parts:
        for run in [part] if isinstance(part, str) else part:
            if isinstance(run, str) and result and isinstance(result[-1], str):
                result[-1] += run
            elif run:
                result.append(run)
    return result[0] if len(result) == 1 and isinstance(result[0], str) else result or ""


def breakable(cell: str) -> str:
    """A cell whose long unbroken strings may be broken after every character."""
    if len(cell) < 12 or UNBROKEN.fullmatch(cell):
        return cell
    return _CODE.sub(lambda match: "\u200b".join(match[0]), cell)


def _with_breaks(word: str) -> str:
    """A word too long for a line, with places to break it that show nothing."""
    return "\u200b".join(word[index : index + 20] for index in range(0, len(word), 20))
