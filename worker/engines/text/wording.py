"""Numbers, lists and titles in plain English."""

from __future__ import annotations

from collections.abc import Sequence

from worker.engines.text.sentences import split_sentences

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


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
    """The prompt's first sentence as a title of at most 120 characters."""
    line = " ".join(prompt.split())
    parts = split_sentences(line, pieces=False)
    if len(parts) > 1:
        line = line[: parts[0].end]
    return capitalised(shortened(line.rstrip("! ").removesuffix(".") or "Research", 120))


def shortened(line: str, most: int) -> str:
    """A line of at most so many characters, cut between words, and the mark of what is left out."""
    return line if len(line) <= most else line[:most].rsplit(" ", 1)[0].rstrip(",;:") + " …"
