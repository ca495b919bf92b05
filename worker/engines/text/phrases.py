"""Phrases that name something, out of a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from worker.engines.text.stopwords import ACADEMIC_WORDS, QUESTION_WORDS, WEAK_WORDS
from worker.engines.text.terms import Analyzer, Word, fold

MAX_WORDS = 3
_AUTHOR = re.compile(r"(?:,? (?:and|&) [\w’'-]+|, [A-Z][\w’'-]+| et al\.?)*,? \(?\d{4}\b")
"""What follows the name of an author who is cited; such names are no subject."""
_GENERAL = ACADEMIC_WORDS | QUESTION_WORDS | WEAK_WORDS


def phrases(text: str, analyzer: Analyzer) -> list[tuple[tuple[str, ...], str]]:
    """Runs of one to three neighbouring content words that may name a theme, as (stems, words as a reader would write
    them), in order of length and place."""
    surfaces = analyzer.surfaces(text)
    found = []
    for size in range(1, MAX_WORDS + 1):
        for first in range(len(surfaces) - size + 1):
            run = [word for _, _, word in surfaces[first : first + size]]
            if _adjacent(text, run) and _names_something(run) and not _AUTHOR.match(text, run[-1].end):
                found.append((tuple(stem for stem, _, _ in surfaces[first : first + size]), _surface(text, run)))
    return found


def _surface(text: str, run: Sequence[Word]) -> str:
    """The phrase as written; in lower case unless it looks like a name ("Southern Ocean", "DNA")."""
    surface = text[run[0].start : run[-1].end]
    named = all(word.text[0].isupper() for word in run) and (run[0].start > 0 or surface.isupper())
    return surface if named else surface.lower()


def _adjacent(text: str, run: Sequence[Word]) -> bool:
    return all(text[left.end : right.start] in {" ", "-", "–"} for left, right in pairwise(run))


def _names_something(run: Sequence[Word]) -> bool:
    """No numbers, adverbs or participles at the end, and no word too general to stand at either end."""
    folded = [fold(word.text) for word in run]
    if any(not word.isalpha() or len(word) < 4 or word.endswith("ly") for word in folded):
        return False
    if folded[-1].endswith("ed") or any(word in _GENERAL for word in (folded[0], folded[-1])):
        return False
    return len(folded) > 1 or len(folded[0]) >= 5
