"""From a query in plain words to what each service understands: words alone, so that nothing in a query can be taken
for an operator, a field or a wildcard."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:[-‐‑–'’][^\W_]+)*")
_JOINED = re.compile(r"[-‐‑–'’]")
_OPERATORS = frozenset({"and", "or", "not", "andnot", "near", "to"})
MOST_WORDS = 10
_LONGEST = 40
STRICT = 4
"""Words that all have to be there in the first, narrow search."""


def words_of(query: str) -> tuple[str, ...]:
    """The distinct words of a query in its order, in lower case, at most ten; of a word with hyphens the parts are kept
    together by single spaces."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(query.lower()):
        word = " ".join(part for part in _JOINED.split(match.group()) if part not in _OPERATORS)
        if 1 < len(word) <= _LONGEST and word not in _OPERATORS:
            found.setdefault(word)
    return tuple(found)[:MOST_WORDS]


def quoted(word: str) -> str:
    """A word as a term of a Lucene-like query; one of several parts as a phrase."""
    return f'"{word}"' if " " in word else word


def narrow(words: tuple[str, ...], field: str = "") -> str:
    """All of the first words: `a AND b`."""
    return " AND ".join(field + quoted(word) for word in words[:STRICT])


def wide(words: tuple[str, ...], field: str = "") -> str:
    """Any of the words: `a OR b`."""
    return " OR ".join(field + quoted(word) for word in words)


def expressions(words: tuple[str, ...], field: str = "") -> tuple[str, ...]:
    """The narrow search, then the wide one, which fills up what the first did not find."""
    return tuple(dict.fromkeys((narrow(words, field), wide(words, field))))
