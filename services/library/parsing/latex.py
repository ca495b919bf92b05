"""LaTeX in bibliographies to plain text: accents, symbols, dashes; braces go."""

from __future__ import annotations

import re
from functools import cache

from pylatexenc.latex2text import LatexNodes2Text

from services.library.parsing.normalise import one_line

_MARKED = re.compile(r"[\\{}$~^_]|--|``|''")
_UNESCAPED = re.compile(r"(?<!\\)([%&#])")
_LONGEST = 100_000


def plain(source: str) -> str:
    """`source` on one line without its markup. What is no well-formed LaTeX loses only braces and backslashes."""
    if not _MARKED.search(source):
        return one_line(source)
    if len(source) <= _LONGEST:
        try:
            # A bare % begins a comment in LaTeX, but in bibliographies it means per cent.
            return one_line(_converter().latex_to_text(_UNESCAPED.sub(r"\\\1", source)))
        except (RecursionError, ValueError, IndexError, KeyError, AttributeError, TypeError):
            pass
    return one_line(re.sub(r"[{}]|\\(?:[a-zA-Z]+\s*)?", "", source))


@cache
def _converter() -> LatexNodes2Text:
    return LatexNodes2Text(math_mode="text", keep_comments=False, strict_latex_spaces=False)
