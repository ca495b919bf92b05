"""Text as a reader sees it."""

from __future__ import annotations

import re
import unicodedata

_KEPT = frozenset("\n")
_DROPPED = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks of other categories that show nothing: fillers, and selectors of variants."""


def cleaned(text: str) -> str:
    """Text without control, formatting (direction, zero width, tags), private, unassigned and invisible characters;
    other kinds of space and line ends become plain ones."""
    kept = []
    for character in _UNSEEN.sub("", text.replace("\r\n", "\n")):
        category = unicodedata.category(character)
        if character in _KEPT:
            kept.append(character)
        elif category in ("Zl", "Zp"):
            kept.append("\n")
        elif category == "Zs" or character in "\t\r\f\v":
            kept.append(" ")
        elif category not in _DROPPED:
            kept.append(character)
    return "".join(kept)
