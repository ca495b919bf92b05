"""Which language a text is in, told only where it is plain: by a script that one language alone is written in, or by
the small words of its sentences."""

from __future__ import annotations

import re
from functools import lru_cache

_SMALL_WORDS = {
    "en": "and are at be been between by from has have is it its of than that the their there these this to was were "
    "what when which with",
    "de": "aus bei das dem den der die ein eine einem einer eines für ist mit nach nicht oder sich sind um und von "
    "werden wie wird zu zum zur zwischen über",
    "fr": "au aux avec cette dans du est et il la le les ne ou où pas plus pour que qui sa ses sont sur une à été",
    "es": "al como con del el en es está la las lo los más no para pero por que se sin sobre su sus una y",
}
_LANGUAGE_OF: dict[str, frozenset[str]] = {
    word: frozenset(language for language, words in _SMALL_WORDS.items() if word in words.split())
    for words in _SMALL_WORDS.values()
    for word in words.split()
}
_SCRIPTS = {
    "el": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "ko": re.compile("[\u1100-\u11ff\uac00-\ud7ff]"),
}
_WORD = re.compile(r"[^\W\d_]+")
_LEAST, _TIMES = 2, 2
"""Small words that a text has at least, and how many times as many as of any other language."""

_READ = 2_000
"""Characters that are looked at."""


@lru_cache(maxsize=1024)
def spoken(text: str) -> str | None:
    """The language (BCP 47) that a text is plainly in; None where its words do not tell."""
    words = _WORD.findall(text[:_READ].lower())
    if not text.isascii():
        letters = sum(map(len, words))
        for language, script in _SCRIPTS.items():
            # A symbol or two are no Greek.
            if letters and 2 * len(script.findall(text[:_READ])) > letters:
                return language
    counts = dict.fromkeys(_SMALL_WORDS, 0)
    for word in words:
        for language in _LANGUAGE_OF.get(word, ()):
            counts[language] += 1
    second, first = sorted(counts, key=counts.__getitem__)[-2:]
    plain = counts[first] >= _LEAST and counts[first] >= _TIMES * counts[second]
    return first if plain else None
