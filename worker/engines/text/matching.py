"""Which words of a text stand for a term that was asked for, although they are written otherwise.

Beside the same stem these count: a word that shares most of its letter groups ("methylation", "hypomethylated"), and an
abbreviation that the text itself explains ("natural killer (NK) cells").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from worker.engines.text.terms import Analyzer, fold

GRAM = 4
LIKE = 0.4
"""Dice's coefficient of letter groups from which a word counts as a form of another, as much as it says."""
_SHORTEST = 5
_ABBREVIATED = re.compile(r"\(([A-Za-z][\w-]{1,9})\)")
_LONGEST_BEFORE = 120


class TermMatcher:
    """Finds the terms asked for in texts, one text after the other.

    `words` are the terms' words by stem, as the prompt has them.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self._stems = frozenset(words)
        self._grams = {stem: _grams(word) for stem, word in words.items() if len(word) >= _SHORTEST}
        self._all_grams = frozenset(gram for grams in self._grams.values() for gram in grams)
        self._known: dict[str, tuple[tuple[str, float], ...]] = {}

    def matches(self, terms: Iterable[tuple[str, str]], aliases: Mapping[str, frozenset[str]]) -> dict[str, float]:
        """The terms asked for that a unit of text holds, each with how surely (0..1); the unit is given as (stem,
        folded word), `aliases` as :func:`abbreviations` gives them."""
        found: dict[str, float] = {}
        stems: set[str] = set()
        for stem, word in terms:
            stems.add(stem)
            for asked, likeness in self._like(stem, word):
                if likeness > found.get(asked, 0.0):
                    found[asked] = likeness
        for short, long in aliases.items():
            if short in stems:
                found.update(dict.fromkeys(long & self._stems, 1.0))
            elif short in self._stems and long <= stems:
                found[short] = 1.0
        return found

    def _like(self, stem: str, word: str) -> tuple[tuple[str, float], ...]:
        known = self._known.get(stem)
        if known is None:
            known = self._known[stem] = ((stem, 1.0),) if stem in self._stems else self._similar(word)
        return known

    def _similar(self, word: str) -> tuple[tuple[str, float], ...]:
        if len(word) < _SHORTEST or word.isdigit():
            return ()
        own = _grams(word)
        if own.isdisjoint(self._all_grams):
            return ()
        likeness = {stem: 2 * len(own & grams) / (len(own) + len(grams)) for stem, grams in self._grams.items()}
        return tuple((stem, round(value, 6)) for stem, value in likeness.items() if value >= LIKE)


def abbreviations(text: str, analyzer: Analyzer) -> dict[str, frozenset[str]]:
    """Stems of the words that each abbreviation explained in `text` stands for, by the abbreviation's own stem.

    An abbreviation in brackets stands for the words before it whose letters hold its own in order, the first of them at
    the beginning of a word (Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions in
    biomedical text", 2003).
    """
    found: dict[str, frozenset[str]] = {}
    for match in _ABBREVIATED.finditer(text):
        short = match.group(1)
        if sum(letter.isupper() for letter in short) < 2:
            continue
        long = _long_form(text[max(0, match.start() - _LONGEST_BEFORE) : match.start()], short)
        stems = frozenset(analyzer.terms(long))
        if stems:
            found.setdefault(analyzer.stem([fold(short)])[0], stems)
    return found


def _long_form(before: str, short: str) -> str:
    letters = [letter.lower() for letter in short.removesuffix("s") if letter.isalpha()]
    place = len(before) - 1
    for index in range(len(letters) - 1, -1, -1):
        while place >= 0 and not (
            before[place].lower() == letters[index] and (index > 0 or place == 0 or not before[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return ""
        place -= index > 0
    long = before[place:]
    return long if len(long.split()) <= min(len(letters) + 5, 2 * len(letters)) else ""


def _grams(word: str) -> frozenset[str]:
    marked = f"^{word}$"
    return frozenset(marked[i : i + GRAM] for i in range(max(1, len(marked) - GRAM + 1)))


def soft_coverage(held: Mapping[str, float], weights: Mapping[str, float], among: Sequence[str] | None = None) -> float:
    """Weighted share (0..1) of the terms asked for that are held, each as surely as it is."""
    asked = list(weights) if among is None else [stem for stem in among if stem in weights]
    full = sum(weights[stem] for stem in asked)
    return sum(weights[stem] * held.get(stem, 0.0) for stem in asked) / full if full else 0.0
