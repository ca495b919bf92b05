"""Numbers, lists and titles in plain English."""

from __future__ import annotations

import re
from collections.abc import Sequence

from worker.engines.text.sentences import split_sentences

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


_LONGEST_TITLE = 160
_CLAUSE = re.compile(r"[,;:](?= )|(?<= )[–—](?= )")
_LEADING_WORDS = (
    "a an and are as at between by does do for from how if in into is it its nor of on or over per since so than that "
    "the their these this those to under was were what when where whether which while who why with "
    "als am an auf aus bei das dem den der des die ein eine einem einen einer für im in ist mit nach oder ob über und "
    "unter vom von vor wie wird zu zum zur zwischen "
    "à au aux avec ce ces cette dans de des du elle en est et l la le les ou par pour que qui sa ses son sur un une "
    "al con cómo del desde el entre es la las lo los o para por que se sin sobre su sus un una y"
)
_LEADING = frozenset(_LEADING_WORDS.split())
"""Words that leave a line open: articles, prepositions, conjunctions, what begins a question."""


def count(number: int, singular: str, plural: str = "") -> str:
    """``two documents``; numbers above ten in digits."""
    word = _SMALL[number] if 0 <= number < len(_SMALL) else str(number)
    return f"{word} {singular if number == 1 else plural or singular + 's'}"


def were(number: int) -> str:
    """``none was``, ``one was``, ``two were``."""
    return count(number, "was", "were") if number else "none was"


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def listed(items: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return f" {last} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else list(items))


def quoted(items: Sequence[str], last: str = "and") -> str:
    """``“a”, “b” and “c”``."""
    return listed([f"“{item}”" for item in items], last)


def title_of(prompt: str) -> str:
    """The prompt's first sentence as a title: the whole of it, or its beginning where it is longer than a title may
    be."""
    line = " ".join(prompt.split())
    parts = split_sentences(line, pieces=False)
    if len(parts) > 1:
        line = line[: parts[0].end]
    return capitalised(shortened(line.rstrip("! ").removesuffix(".") or "Research", _LONGEST_TITLE))


def shortened(line: str, most: int) -> str:
    """A line of at most so many characters, and the mark of what is left out: cut between words, after no word that
    leads on to the next, and where a clause ends near there, at its end."""
    if len(line) <= most:
        return line
    # The first word beyond may end right at the limit.
    words = line[: most + 1].rsplit(" ", 1)[0].split(" ")
    least = most * 2 // 3
    head = " ".join(words)
    clause = max((found.start() for found in _CLAUSE.finditer(head)), default=0)
    words = head[:clause].split(" ") if clause >= least else words
    while len(words) > 1 and (words[-1].strip(",;:–—").lower() in _LEADING or not words[-1].strip(",;:–—")):
        words.pop()
    return " ".join(words)[:most].rstrip(" ,;:–—") + " …"
