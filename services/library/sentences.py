"""Where sentences end, by punctuation and a short list of abbreviations; no language model."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MARKS = ".!?…。！？．｡।॥۔؟։።"
_QUOTES = "\"'”’»」』"
_CLOSING = _QUOTES + ")]）］"
# The marks of scripts that write no space between sentences need none after them.
_END = re.compile(rf"[.!?…]+[{re.escape(_CLOSING)}]*(?=\s)|[。！？｡।॥۔؟։።]+[{re.escape(_CLOSING)}]*")
_ABBREVIATED = (
    "al approx ca cf ch co corp dept dr ed eds e.g eg eq eqs esp est etc fig figs i.e ie inc jr ltd mr mrs "
    "ms no nos p pp ph.d prof ref refs resp sec sect sr st suppl tab u.k u.s viz vol vols vs jan feb mar "
    "apr jun jul aug sep sept oct nov dec"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_LAST_WORD = re.compile(r"[^\s(\[“\"']*$")
_LOOK_BACK = 40
# These may also end a sentence, and do so when a capital follows.
_OFTEN_LAST = frozenset(("al", "etc", "co", "corp", "inc", "ltd", "jr", "sr", "u.k", "u.s"))


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of the sentences in `text[start:end]`, without the white space around them, in order."""
    position = start
    for match in _END.finditer(text, start, end):
        if match.start() < position or not _ends(text, match, end):
            continue
        yield from _span(text, position, match.end())
        position = match.end()
    yield from _span(text, position, end)


def ends_sentence(text: str) -> bool:
    """Whether `text` ends with the mark of a sentence's end, in any script, also before closing quotes."""
    return text.rstrip().rstrip(_QUOTES).endswith(tuple(_MARKS))


def _ends(text: str, match: re.Match[str], end: int) -> bool:
    mark = match.group()
    if mark[0] != ".":
        return True
    following = text[match.end() : min(end, match.end() + 8)].lstrip()
    if following and following[0].islower():
        return False
    if len(mark.rstrip(_CLOSING)) > 1:
        return True
    word = _LAST_WORD.search(text, max(0, match.start() - _LOOK_BACK), match.start())
    last = word.group().lower() if word else ""
    if last in _ABBREVIATIONS:
        return last in _OFTEN_LAST and following[:1].isupper()
    # "J. Smith": a single capital before the point is an initial, unless it ends a line of thought.
    return not (len(last) == 1 and last.isalpha() and text[match.start() - 1].isupper())


def _span(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = end - (len(piece) - len(piece.rstrip()))
    if left < right:
        yield left, right
