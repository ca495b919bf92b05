"""Keywords in context: pure functions from a text to the places of its terms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

MOST_TERMS = 8
_WIDTH = 60
"""Code points of context on each side, cut back to whole words."""
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]{2,80})[\"”“»]")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_COMMON_WORDS = """
    about after all also among and any are been before being between both but can could did does each for from had has
    have her his how into its may more most much not one only other our over same she should some such than that the
    their them then there these they this those through under until very was were what when where which while who why
    will with would you your find show list give tell occur occurs used use word words term terms documents context
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True)
class Line:
    """An occurrence of `term`: `text[start:end]` is the term with its context, in code points."""

    term: str
    start: int
    end: int
    quote: str


def terms_of(prompt: str) -> list[str]:
    """What the prompt puts in quotation marks, else its content words; in lower case, without repeats."""
    quoted = [" ".join(found.split()).lower() for found in _QUOTED.findall(prompt)]
    found = [term for term in quoted if term] or [
        word for match in _WORD.finditer(prompt) if len(word := match.group().lower()) > 3 and word not in _COMMON
    ]
    return list(dict.fromkeys(found))[:MOST_TERMS]


def lines_of(text: str, terms: Sequence[str]) -> list[Line]:
    """Every occurrence of every term in order of place; words match as a whole, spaces of any kind, case aside."""
    found: list[Line] = []
    for term in terms:
        words = r"\s+".join(re.escape(word) for word in term.split())
        for match in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE):
            start, end = _widened(text, match.start(), match.end())
            found.append(Line(term, start, end, text[start:end]))
    return sorted(found, key=lambda line: (line.start, line.end, line.term))


def collocates(lines: Sequence[Line], most: int = 5) -> list[tuple[str, int]]:
    """The content words that stand around a term most often, with how many lines have them."""
    counts: Counter[str] = Counter()
    for line in lines:
        words = {match.group().lower() for match in _WORD.finditer(line.quote)}
        counts.update(word for word in words if len(word) > 3 and word not in _COMMON and word not in line.term)
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:most]


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    left = max(text.rfind("\n", 0, start) + 1, start - _WIDTH)
    stop = text.find("\n", end)
    right = min(len(text) if stop < 0 else stop, end + _WIDTH)
    while left < start and not (left == 0 or text[left - 1].isspace()):
        left += 1
    while right > end and not (right == len(text) or text[right].isspace()):
        right -= 1
    while left < start and text[left].isspace():
        left += 1
    while right > end and text[right - 1].isspace():
        right -= 1
    return left, right
