"""Text to index terms: words, folded, without stop words, stemmed."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import Stemmer  # type: ignore[import-not-found,unused-ignore]

ANALYSIS = "english/4"
"""Names this way of making passages and their terms; an index made in another way is rebuilt."""

_TOKEN = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"  # scripts without spaces: taken two characters at a time
    r"|\d+(?:[.,]\d+)+"
    "|[^\\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:['’][^\\W_]+)*"
)
_MIXED = re.compile(r"[^\W\d_]+|\d+")
_COMPOUND = re.compile(r"\w+(?:[-\u2010\u2011\u2013/]\w+)+")
_JOINT = re.compile("[-\u2010\u2011\u2013/]")
_LONGEST = 64
_CACHED = 200_000

_STOP_WORDS = (
    "a about above after again against all also am among an and any are aren't as at be because been before "
    "being below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't "
    "down during each either else etc few for from further had hadn't has hasn't have haven't having he her "
    "here hers herself him himself his how however i if in into is isn't it it's its itself just let me more "
    "most mustn't my myself neither no nor not of off on once only or other ought our ours ourselves out "
    "over own same shall shan't she should shouldn't so some such than that that's the their theirs them "
    "themselves then there there's therefore these they this those through thus to too under until up upon "
    "us very was wasn't we were weren't what when where whether which while who whom whose why will with "
    "won't would wouldn't yet you your yours yourself yourselves"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())


class Analyzer:
    """Makes terms. Holds a cache of stems, so one instance serves one thread at a time.

    A word of letters and digits is a term as it stands and so are its parts of more than one character: *il6* is
    found by *il*, *cd28* by *28*. Parts that a hyphen or a slash joins are terms, and where a letter meets a digit
    there, also both as one word: *gata-3* is found by *gata3*.
    """

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english", 0)
        self._stems: dict[str, tuple[str, ...]] = {}

    def terms(self, text: str) -> list[str]:
        """The terms of `text` in order, repeated as often as they occur; words made of joined parts come last."""
        folded = _folded(text)
        found = self._sequence(folded)
        for compound in _COMPOUND.findall(folded):
            found.extend(_joined(compound))
        return found

    def sequence(self, text: str) -> list[str]:
        """The same without words made of joined parts: what follows each other stands side by side in the text."""
        return self._sequence(_folded(text))

    def _sequence(self, folded: str) -> list[str]:
        found: list[str] = []
        stems = self._stems
        for token in _TOKEN.findall(folded):
            known = stems.get(token)
            if known is None:
                if token[0] >= "\u3040" and token[0] <= "\ud7af" and not token[0].isascii():
                    found.extend(_pairs(token))
                    continue
                known = self._terms_of(token)
            found.extend(known)
        return found

    def _terms_of(self, token: str) -> tuple[str, ...]:
        word = token.replace("’", "'")
        made: list[str] = []
        if len(word) <= _LONGEST:
            made.append(self._stem(word))
            if word.isalnum() and not word.isdigit() and not word.isalpha():
                made += [self._stem(part) for part in _MIXED.findall(word) if len(part) > 1]
        if len(self._stems) >= _CACHED:
            self._stems.clear()
        known = self._stems[token] = tuple(term for term in made if term)
        return known

    def _stem(self, word: str) -> str:
        return "" if word in STOP_WORDS else str(self._stemmer.stemWord(word)).replace("'", "")


def _joined(compound: str) -> list[str]:
    """Neighbouring parts of a compound as one word, where a letter meets a digit."""
    parts = _JOINT.split(compound)
    return [
        left + right
        for left, right in pairwise(parts)
        if (left[-1].isalpha() and right[0].isdigit()) or (left[-1].isdigit() and right[0].isalpha())
        if len(left) + len(right) <= _LONGEST
    ]


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else _fold(text)


def _fold(text: str) -> str:
    """Lower case without accents; Greek letters, digits and other scripts stay themselves."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", plain)


def _pairs(run: str) -> list[str]:
    if len(run) == 1:
        return [run]
    return [run[index : index + 2] for index in range(len(run) - 1)]
