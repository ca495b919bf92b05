"""Numbers, lists and titles in plain English."""

from __future__ import annotations

from collections.abc import Sequence

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
    for mark in ("? ", ". ", "! "):
        line = line.split(mark)[0] + (mark.strip() if mark in line else "")
    line = line.rstrip("! ").removesuffix(".") or "Research"
    if len(line) > 120:
        line = line[:120].rsplit(" ", 1)[0].rstrip(",;:") + " …"
    return capitalised(line)
